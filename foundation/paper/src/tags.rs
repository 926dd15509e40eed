//! What each piece of text is, for those who hear a document instead of seeing it (PDF/UA).

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagTree};

/// What a piece is.
#[derive(Debug, Clone)]
pub enum Role {
    Heading(u8, String),
    Paragraph,
    List,
    Item,
    Label,
    Body,
    Table,
    Row,
    Head,
    Cell,
}

/// A piece, with what belongs to it.
struct Piece {
    role: Role,
    children: Vec<usize>,
}

/// All pieces, in the order of reading.
#[derive(Default)]
pub struct Pieces {
    all: Vec<Piece>,
    top: Vec<usize>,
}

impl Pieces {
    /// A piece more, within another or at the top; returns its number.
    pub fn add(&mut self, within: Option<usize>, role: Role) -> usize {
        let number = self.all.len();
        self.all.push(Piece { role, children: Vec::new() });
        match within.and_then(|it| self.all.get_mut(it)) {
            Some(parent) => parent.children.push(number),
            None => self.top.push(number),
        }
        number
    }

    /// The tree for the file; `texts` says of each text drawn which piece's it is.
    pub fn tree(&self, texts: Vec<(usize, Identifier)>) -> TagTree {
        let mut of: Vec<Vec<Identifier>> = vec![Vec::new(); self.all.len()];
        for (piece, text) in texts {
            if let Some(list) = of.get_mut(piece) {
                list.push(text);
            }
        }
        let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
        for number in &self.top {
            if let Some(group) = self.group(*number, &of) {
                tree.push(group);
            }
        }
        tree
    }

    fn group(&self, number: usize, texts: &[Vec<Identifier>]) -> Option<TagGroup> {
        let piece = self.all.get(number)?;
        let own = texts.get(number)?.iter().copied().map(Node::from);
        let inner = piece.children.iter().filter_map(|it| self.group(*it, texts)).map(Node::from);
        let mut children: Vec<Node> = own.collect();
        children.extend(inner);
        Some(match &piece.role {
            Role::Heading(level, title) => {
                let level = NonZeroU16::new(u16::from(*level)).unwrap_or(NonZeroU16::MIN);
                TagGroup::with_children(Tag::Hn(level, Some(title.clone())), children)
            }
            Role::Paragraph => TagGroup::with_children(Tag::P, children),
            Role::List => TagGroup::with_children(Tag::L(ListNumbering::None), children),
            Role::Item => TagGroup::with_children(Tag::LI, children),
            Role::Label => TagGroup::with_children(Tag::Lbl, children),
            Role::Body => TagGroup::with_children(Tag::LBody, children),
            Role::Table => TagGroup::with_children(Tag::Table, children),
            Role::Row => TagGroup::with_children(Tag::TR, children),
            Role::Head => TagGroup::with_children(Tag::TH(TableHeaderScope::Column), children),
            Role::Cell => TagGroup::with_children(Tag::TD, children),
        })
    }
}
