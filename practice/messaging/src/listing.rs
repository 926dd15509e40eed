//! Which rows the domain's lists answer, by their arguments, and in which
//! orders (behaviour 7, 8, 32). Visibility comes on top and is not here.

use ward_engine::{Answer, Args, FromIn, Kind, Listing, OrderOption, Refused, Request};
use ward_identity::tables::{USERS, User};
use ward_identity::visibility::{seen, sees_user};
use ward_store::{Cond, Entity, Id, Level, Value, search};

use crate::tables::{Conversation, ConversationMembership, NOTES, Note};
use crate::visibility::takes_part_in;

/// Arguments of `conversationMemberships`.
pub const MEMBERSHIPS_ARGS: &[(&str, Kind)] = &[
    ("active_status", Kind::Plain),
    ("client_id", Kind::Id(User::NAME)),
    ("conversation_type", Kind::Plain),
    ("keywords", Kind::Plain),
    ("notes_type", Kind::Plain),
    ("only_include_shared_memberships", Kind::Plain),
    ("org_chat", Kind::Plain),
    ("provider_id", Kind::Id(User::NAME)),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("read_status", Kind::Plain),
];

/// Arguments of `conversationMembershipsAllCounts`.
pub const ALL_COUNTS_ARGS: &[(&str, Kind)] = &[
    ("client_id", Kind::Id(User::NAME)),
    ("conversation_type", Kind::Plain),
    ("keywords", Kind::Plain),
    ("only_include_shared_memberships", Kind::Plain),
    ("org_chat", Kind::Plain),
    ("provider_id", Kind::Id(User::NAME)),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("read_status", Kind::Plain),
];

/// Arguments of `notes`.
pub const NOTES_ARGS: &[(&str, Kind)] = &[
    ("conversation_id", Kind::Id(Conversation::NAME)),
    ("ids", Kind::Ids(Note::NAME)),
    ("org_chat", Kind::Plain),
    ("provider_id", Kind::Id(User::NAME)),
    ("scheduled_notes", Kind::Plain),
    ("since_note_id", Kind::Id(Note::NAME)),
];

/// Arguments of `notesCount`.
pub const NOTES_COUNT_ARGS: &[(&str, Kind)] = &[
    ("conversation_id", Kind::Id(Conversation::NAME)),
    ("org_chat", Kind::Plain),
    ("provider_id", Kind::Id(User::NAME)),
    ("scheduled_notes", Kind::Plain),
];

/// What memberships can be ordered by. A membership changes with its
/// conversation, too.
pub const MEMBERSHIP_ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption {
        name: "UPDATED_AT",
        expression: "(SELECT CASE WHEN o.updated_at > {t}.updated_at THEN o.updated_at \
             ELSE {t}.updated_at END FROM conversations o \
             WHERE o.org_id = {t}.org_id AND o.id = {t}.conversation_id)",
    },
    OrderOption {
        name: "CONVERSATION_CREATED_AT",
        expression: "(SELECT o.created_at FROM conversations o \
             WHERE o.org_id = {t}.org_id AND o.id = {t}.conversation_id)",
    },
    OrderOption {
        name: "CONVERSATION_UPDATED_AT",
        expression: "(SELECT o.updated_at FROM conversations o \
             WHERE o.org_id = {t}.org_id AND o.id = {t}.conversation_id)",
    },
];

/// What conversations can be ordered by.
pub const CONVERSATION_ORDERS: &[OrderOption] =
    &[OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" }];

/// What notes can be ordered by: their place, and those that wait last.
pub const NOTE_ORDERS: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "COALESCE({t}.sent_at, {t}.created_at)" }];

/// What lists of participants are ordered by: as they joined.
pub const JOINED: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// An argument that is an id; a blank one says nothing.
pub(crate) fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    match args.text(name) {
        Some(_) => args.get(name, request),
        None => Ok(None),
    }
}

pub(crate) fn ids<R>(args: &Args, name: &str, request: &Request) -> Answer<Vec<i64>>
where
    R: Entity,
    Vec<Id<R>>: FromIn,
{
    let ids: Option<Vec<Id<R>>> = args.get(name, request)?;
    Ok(ids.unwrap_or_default().iter().map(|id| id.0).collect())
}

/// A condition on the conversation of a row, which is called `c` in it.
fn of_conversation(condition: &str) -> Cond {
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM conversations c WHERE c.org_id = {{t}}.org_id \
             AND c.id = {{t}}.conversation_id AND {condition})"
        ),
        [],
    )
}

/// That the conversation of a row is somebody else's.
fn of_others(user: i64) -> Cond {
    Cond::sql(
        "EXISTS (SELECT 1 FROM conversations c WHERE c.org_id = {t}.org_id \
         AND c.id = {t}.conversation_id AND c.owner_id <> ?)",
        [user.into()],
    )
}

/// That somebody takes part in the conversation of a row.
fn includes(request: &Request, user: i64) -> Cond {
    Cond::sql(
        "{t}.conversation_id IN (SELECT p.conversation_id FROM conversation_memberships p \
         WHERE p.org_id = ? AND p.user_id = ? AND p.deleted_at IS NULL)",
        [request.actor.org_id.into(), user.into()],
    )
}

/// Something in it is not read yet.
pub fn unread() -> Cond {
    of_conversation("c.notes_count > {t}.viewed_count")
}

/// Parts by what became of their conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Neither put away nor closed.
    Active,
    /// Put away.
    Archived,
    /// Closed for all.
    Closed,
    /// Whichever.
    All,
}

impl Status {
    /// By the word of a client; without one, what a person looks at first.
    pub fn of(word: Option<&str>) -> Self {
        match word.map(str::to_ascii_lowercase).as_deref() {
            Some("archived") => Status::Archived,
            Some("closed") => Status::Closed,
            Some("all") => Status::All,
            _ => Status::Active,
        }
    }

    /// Which parts.
    pub fn cond(self) -> Cond {
        let put_away =
            || of_conversation("c.closed_at IS NULL AND c.notes_count <= {t}.archived_count");
        match self {
            Status::Active => of_conversation(
                "c.closed_at IS NULL AND ({t}.archived_count IS NULL \
                 OR c.notes_count > {t}.archived_count)",
            ),
            Status::Archived => put_away(),
            Status::Closed => of_conversation("c.closed_at IS NOT NULL"),
            Status::All => Cond::Always,
        }
    }
}

/// `conversationMemberships`.
pub fn memberships(request: &Request, args: &Args) -> Answer<Listing> {
    let status = Status::of(args.text("active_status"));
    let mut cond = which_memberships(request, args)?.and(status.cond());
    if args.text("notes_type") == Some("scheduled") {
        cond = cond.and(waiting(request));
    }
    Ok(Listing::of(cond))
}

/// Something that they wrote waits for its time, as far as the caller sees that.
pub fn waiting(request: &Request) -> Cond {
    let (rule, params) = seen(&NOTES, &request.actor, Level::Full, "s");
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM notes s WHERE s.org_id = {{t}}.org_id AND s.number IS NULL \
             AND s.conversation_id = {{t}}.conversation_id AND s.user_id = {{t}}.user_id \
             AND s.deleted_at IS NULL AND ({rule}))"
        ),
        params,
    )
}

/// Whose parts, in which conversations, whatever became of them.
pub fn which_memberships(request: &Request, args: &Args) -> Answer<Cond> {
    let mut cond = whose(request, args)?;
    match args.text("conversation_type") {
        Some("individual") => cond = cond.and(of_conversation("c.clients_count <= 1")),
        Some("community") => cond = cond.and(of_conversation("c.clients_count > 1")),
        _ => {}
    }
    match args.text("read_status") {
        Some("unread") => cond = cond.and(unread()),
        Some("read") => cond = cond.and(of_conversation("c.notes_count <= {t}.viewed_count")),
        _ => {}
    }
    if args.flag("only_include_shared_memberships") {
        cond = cond.and(includes(request, request.actor.user_id));
    }
    for term in args.text("keywords").unwrap_or_default().split_whitespace() {
        cond = cond.and(goes_by(request, term, "{t}.conversation_id"));
    }
    Ok(cond)
}

/// The caller's own parts; a provider's; a client's, whom the caller must see,
/// else their own again (behaviour 32). A provider's and a client's are the
/// provider's in conversations with the client. Clients list their own only:
/// what others have put away is theirs.
fn whose(request: &Request, args: &Args) -> Answer<Cond> {
    let actor = &request.actor;
    let own = Cond::eq("user_id", actor.user_id);
    let providers = ids::<User>(args, "provider_ids", request)?;
    let provider = id::<User>(args, "provider_id", request)?;
    let client = match id::<User>(args, "client_id", request) {
        Err(Refused::NotFound(_) | Refused::Problems(_)) => None,
        other => other?,
    };
    let of_members = match (provider, providers.as_slice()) {
        (Some(provider), _) => Some(Cond::eq("user_id", provider.0)),
        (None, []) if args.flag("org_chat") => Some(
            of_conversation("c.owner_id = {t}.user_id")
                .and(Cond::eq("user_id", actor.user_id).negated()),
        ),
        (None, []) => None,
        (None, providers) => Some(Cond::is_in("user_id", providers)),
    };
    if actor.is_client() {
        let with = provider.map(|id| id.0).into_iter().chain(providers);
        let with: Vec<Cond> = with.map(|user| includes(request, user)).collect();
        let with = with.into_iter().reduce(Cond::or);
        return Ok(with.map_or(own.clone(), |with| own.and(with)));
    }
    Ok(match (of_members, client) {
        (Some(of_members), None) => of_members,
        (Some(of_members), Some(client)) => {
            let with = of_members.clone().and(includes(request, client.0));
            let sees = sees_user(actor, client);
            sees.clone().and(with).or(sees.negated().and(of_members))
        }
        (None, None) => own,
        (None, Some(client)) => {
            let sees = sees_user(actor, client);
            sees.clone().and(Cond::eq("user_id", client.0)).or(sees.negated().and(own))
        }
    })
}

/// The conversation's name, or the name of somebody in it whom the caller may
/// know of, contains the word.
fn goes_by(request: &Request, term: &str, conversation: &str) -> Cond {
    let pattern = like(&search::fold(term));
    let (rule, params) = seen(&USERS, &request.actor, Level::Public, "w");
    let sql = format!(
        "EXISTS (SELECT 1 FROM conversations c WHERE c.org_id = {{t}}.org_id \
         AND c.id = {conversation} AND c.name IS NOT NULL \
         AND c.name_fold LIKE ? ESCAPE '!') \
         OR EXISTS (SELECT 1 FROM conversation_memberships p JOIN users w \
         ON w.org_id = p.org_id AND w.id = p.user_id WHERE p.org_id = {{t}}.org_id \
         AND p.conversation_id = {conversation} AND p.deleted_at IS NULL \
         AND (w.first_name_fold LIKE ? ESCAPE '!' OR w.last_name_fold LIKE ? ESCAPE '!') \
         AND ({rule}))"
    );
    let pattern: Value = pattern.as_str().into();
    let own = [pattern.clone(), pattern.clone(), pattern];
    Cond::sql(format!("({sql})"), own.into_iter().chain(params))
}

/// Texts that contain this one.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for part in text.chars() {
        if matches!(part, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(part);
    }
    pattern.push('%');
    pattern
}

/// `conversation`; as a provider's, if one is named.
pub fn conversation(request: &Request, args: &Args) -> Answer<Listing> {
    let provider = id::<User>(args, "provider_id", request)?;
    let Some(id) = id::<Conversation>(args, "id", request)? else { return Ok(Listing::none()) };
    let mut cond = Cond::eq("id", id.0);
    if let Some(provider) = provider {
        cond = cond.and(takes_part_in(request.actor.org_id, provider.0));
    }
    Ok(Listing::of(cond))
}

/// `conversations`: somebody's, else the caller's.
pub fn conversations(request: &Request, args: &Args) -> Answer<Listing> {
    let user = id::<User>(args, "user_id", request)?;
    let user = user.map_or(request.actor.user_id, |user| user.0);
    Ok(Listing::of(takes_part_in(request.actor.org_id, user)))
}

/// `conversationsCount`: the caller's, by keywords.
pub fn conversations_count(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = takes_part_in(request.actor.org_id, request.actor.user_id);
    for term in args.text("keywords").unwrap_or_default().split_whitespace() {
        cond = cond.and(goes_by(request, term, "{t}.id"));
    }
    Ok(Listing::of(cond))
}

/// `conversationMembership`, by either of its arguments.
pub fn membership(request: &Request, args: &Args) -> Answer<Listing> {
    let named = match id::<ConversationMembership>(args, "conversation_membership_id", request)? {
        Some(id) => Some(id),
        None => id::<ConversationMembership>(args, "id", request)?,
    };
    Ok(named.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `conversationMembershipInvitees`: everybody's part but the owner's.
pub fn invitees(request: &Request, args: &Args) -> Answer<Listing> {
    let Some(id) = id::<Conversation>(args, "id", request)? else { return Ok(Listing::none()) };
    let not_owner = of_conversation("c.owner_id <> {t}.user_id");
    Ok(Listing::of(Cond::eq("conversation_id", id.0).and(not_owner)))
}

/// The caller's own part.
pub fn own_part(request: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::eq("user_id", request.actor.user_id)))
}

/// `note`.
pub fn note(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<Note>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// Notes that were sent.
pub fn sent(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::of(Cond::not_null("number")))
}

/// `notes` and `notesCount`.
pub fn notes(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = match args.flag("scheduled_notes") {
        true => Cond::is_null("number"),
        false => Cond::not_null("number"),
    };
    if let Some(id) = id::<Conversation>(args, "conversation_id", request)? {
        cond = cond.and(Cond::eq("conversation_id", id.0));
    }
    let ids = ids::<Note>(args, "ids", request)?;
    if !ids.is_empty() {
        cond = cond.and(Cond::is_in("id", &ids));
    }
    if let Some(provider) = id::<User>(args, "provider_id", request)? {
        cond = cond.and(includes(request, provider.0));
    }
    if args.flag("org_chat") {
        cond = cond.and(of_others(request.actor.user_id));
    }
    if let Some(since) = id::<Note>(args, "since_note_id", request)? {
        cond = cond.and(Cond::sql(
            "EXISTS (SELECT 1 FROM notes s WHERE s.org_id = {t}.org_id AND s.id = ? \
             AND s.conversation_id = {t}.conversation_id AND s.number < {t}.number)",
            [since.0.into()],
        ));
    }
    Ok(Listing::of(cond))
}
