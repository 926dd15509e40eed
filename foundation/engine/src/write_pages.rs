//! The writer's part for connections: nodes, edges, page info, totals.

use crate::level::{Page, Paged};
use crate::paging;
use crate::plan::{Action, Field, Part, Selection};
use crate::scalar::{self, Out};
use crate::values;
use crate::write::{Propagate, Writer};

impl<'a> Writer<'a> {
    pub(crate) fn connection(
        &mut self,
        selection: &'a Selection,
        page: &Page,
        paged: &Paged,
    ) -> Result<(), Propagate> {
        self.out.push(b'{');
        let mut first = true;
        for (n, field) in selection.fields.iter().enumerate() {
            if !values::included(field, self.variables) {
                continue;
            }
            self.key(field, &mut first);
            self.field(field, |writer| writer.part(field, n, page, paged))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn part(
        &mut self,
        field: &'a Field,
        n: usize,
        page: &Page,
        paged: &Paged,
    ) -> Result<(), Propagate> {
        match (&field.action, &field.children) {
            (Action::Typename(name), _) => scalar::write_text(name, &mut self.out),
            (Action::Connection(Part::TotalCount), _) => {
                return self.leaf(field, &field.ty, &page.total.into());
            }
            (Action::Connection(Part::Nodes), Some(selection)) => {
                if let Some((_, level)) = paged.nodes.iter().find(|(at, _)| *at == n) {
                    return self.list(field, page.rows.clone(), |writer, row| {
                        writer.object(selection, level, row)
                    });
                }
            }
            (Action::Connection(Part::Edges), Some(edge)) => {
                return self.list(field, page.rows.clone(), |writer, row| {
                    writer.edge(edge, n, row, paged)
                });
            }
            (Action::Connection(Part::PageInfo), Some(info)) => {
                return self.page_info(info, page, paged);
            }
            _ => return self.null(field, &field.ty),
        }
        Ok(())
    }

    fn edge(
        &mut self,
        edge: &'a Selection,
        n: usize,
        row: usize,
        paged: &Paged,
    ) -> Result<(), Propagate> {
        let mut levels = paged.nodes.iter().filter(|(at, _)| *at == n);
        self.out.push(b'{');
        let mut first = true;
        for field in &edge.fields {
            if !values::included(field, self.variables) {
                continue;
            }
            self.key(field, &mut first);
            self.field(field, |writer| {
                match (&field.action, &field.children) {
                    (Action::Typename(name), _) => scalar::write_text(name, &mut writer.out),
                    (Action::Connection(Part::Node), Some(selection)) => {
                        if let Some((_, level)) = levels.next() {
                            return writer.object(selection, level, row);
                        }
                        return writer.null(field, &field.ty);
                    }
                    _ => {
                        let cursor = writer.cursor(paged, row);
                        scalar::write_text(&cursor, &mut writer.out);
                    }
                }
                Ok(())
            })?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn page_info(
        &mut self,
        info: &'a Selection,
        page: &Page,
        paged: &Paged,
    ) -> Result<(), Propagate> {
        self.out.push(b'{');
        let mut first = true;
        for field in &info.fields {
            if !values::included(field, self.variables) {
                continue;
            }
            self.key(field, &mut first);
            let some = !page.rows.is_empty();
            let value = match &field.action {
                Action::Typename(name) => Out::Text(name.clone()),
                Action::Connection(Part::Page("has_next_page")) => page.has_next.into(),
                Action::Connection(Part::Page("has_previous_page")) => page.has_previous.into(),
                Action::Connection(Part::Page("start_cursor")) => {
                    some.then(|| self.cursor(paged, page.rows.start)).into()
                }
                _ => some.then(|| self.cursor(paged, page.rows.end - 1)).into(),
            };
            self.field(field, |writer| writer.leaf(field, &field.ty, &value))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn cursor(&self, paged: &Paged, row: usize) -> String {
        let keys = paged.set.rows.row(row).get(paged.set.keys.clone()).unwrap_or(&[]);
        paging::cursor(keys, &paged.set.scope, self.request)
    }
}
