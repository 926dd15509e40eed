//! What answers each contract field of the domain, one line a field.

mod conversation;
mod live;
mod membership;
mod note;
mod scheduler;

use ward_engine::{Bindings, Kind, Returns, op};
use ward_identity::tables::User;
use ward_store::Entity;

use crate::note_input::{prepare_create, prepare_update};
use crate::tables::{CONVERSATION_MEMBERSHIPS, CONVERSATIONS, Conversation, NOTES, Note};
use crate::{automatic, away, counts, draft, listing, note as notes, notices};

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    conversation::bind(b);
    membership::bind(b);
    note::bind(b);
    scheduler::bind(b);
    counts::bind(b);
    live::bind(b);
    drafts(b);
    automatic::bind(b);
    notices::bind(b);
    away::bind(b);
}

/// What is not sent yet.
fn drafts(b: &mut Bindings) {
    b.object("Draft", &draft::DRAFTS);
    b.query_one("draft", &draft::DRAFTS, draft::one).args(draft::ARGS);
    b.mutation_prepared(
        "createDraft",
        draft::RETURNS,
        |request, input| Box::pin(draft::prepare(request, input)),
        op!(draft::create),
    );
    b.mutation("removeDraft", draft::RETURNS, op!(draft::remove));
}

const CONVERSATION: Kind = Kind::Id(Conversation::NAME);
const MEMBERSHIP: Kind = Kind::Id("ConversationMembership");
const USER: Kind = Kind::Id(User::NAME);

fn queries(b: &mut Bindings) {
    b.query_one("conversation", &CONVERSATIONS, listing::conversation)
        .args(&[("id", CONVERSATION), ("provider_id", USER)]);
    b.query_list("conversations", &CONVERSATIONS, listing::conversations)
        .args(&[("user_id", USER)])
        .orders(listing::CONVERSATION_ORDERS, "UPDATED_AT_DESC");
    b.query_count("conversationsCount", &CONVERSATIONS, listing::conversations_count)
        .args(&[("keywords", Kind::Plain)]);
    let parts = &CONVERSATION_MEMBERSHIPS;
    b.query_one("conversationMembership", parts, listing::membership)
        .args(&[("id", MEMBERSHIP), ("conversation_membership_id", MEMBERSHIP)]);
    b.query_list("conversationMemberships", parts, listing::memberships)
        .args(listing::MEMBERSHIPS_ARGS)
        .orders(listing::MEMBERSHIP_ORDERS, "UPDATED_AT_DESC");
    b.query_count("conversationMembershipsCount", parts, listing::memberships)
        .args(listing::MEMBERSHIPS_ARGS);
    b.query_list("conversationMembershipInvitees", parts, listing::invitees)
        .args(&[("id", CONVERSATION)])
        .orders(listing::JOINED, "CREATED_AT_ASC");
    b.query_one("note", &NOTES, listing::note).args(&[("id", Kind::Id(Note::NAME))]);
    b.query_list("notes", &NOTES, listing::notes)
        .args(listing::NOTES_ARGS)
        .orders(listing::NOTE_ORDERS, "CREATED_AT_DESC");
    b.query_count("notesCount", &NOTES, listing::notes).args(listing::NOTES_COUNT_ARGS);
}

fn mutations(b: &mut Bindings) {
    use crate::conversation as talk;
    use crate::membership as part;
    const CONVERSED: &[(&str, Returns)] = &[("conversation", Returns::One(&CONVERSATIONS))];
    const PART: &[(&str, Returns)] =
        &[("conversation_membership", Returns::One(&CONVERSATION_MEMBERSHIPS))];
    const GONE: &[(&str, Returns)] =
        &[("conversationMembership", Returns::One(&CONVERSATION_MEMBERSHIPS))];
    b.mutation_prepared(
        "createConversation",
        CONVERSED,
        |request, input| Box::pin(talk::prepare_create(request, input)),
        op!(talk::create),
    );
    b.mutation("updateConversation", CONVERSED, op!(talk::update));
    b.mutation("updateConversationMembership", PART, op!(part::update));
    b.mutation("deleteConversationMembership", GONE, op!(part::delete));
    b.mutation_prepared(
        "createNote",
        notes::RETURNS,
        |request, input| Box::pin(prepare_create(request, input)),
        op!(notes::create),
    );
    b.mutation_prepared(
        "updateNote",
        notes::RETURNS,
        |request, input| Box::pin(prepare_update(request, input)),
        op!(notes::update),
    );
    b.mutation("deleteNote", notes::RETURNS, op!(notes::delete));
}
