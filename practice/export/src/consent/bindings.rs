//! What answers each field of consents to disclosure, an addition to the contract.

use ward_charting::filled::tables::FORM_ANSWER_GROUPS;
use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Request, Returns, op};
use ward_identity::tables::{USERS, User};
use ward_store::{Cond, Entity, Id};

use super::change;
use super::table::{DISCLOSURE_CONSENTS, DisclosureConsent, disclosure_consents as at};

const OF: &str = "DisclosureConsent";

const ORDERS: &[OrderOption] = &[OrderOption { name: "SIGNED_ON", expression: "{t}.signed_on" }];

/// Binds the type, its queries and its mutations.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &DISCLOSURE_CONSENTS);
    b.one(OF, "user", &USERS, Link::Key(at::user_id));
    b.one(OF, "form_answer_group", &FORM_ANSWER_GROUPS, Link::Key(at::form_answer_group_id));
    // Whoever took it down, in public to the client.
    b.one(OF, "revoked_by", &USERS, Link::Key(at::revoked_by_id))
        .listing(|_, _| Ok(Listing::all().public()));
    b.query_one("disclosureConsent", &DISCLOSURE_CONSENTS, one)
        .args(&[("id", Kind::Id(DisclosureConsent::NAME))]);
    b.query_list("disclosureConsents", &DISCLOSURE_CONSENTS, of_client)
        .args(&[("user_id", Kind::Id(User::NAME))])
        .orders(ORDERS, "SIGNED_ON_DESC");
    const CONSENT: &[(&str, Returns)] =
        &[("disclosure_consent", Returns::One(&DISCLOSURE_CONSENTS))];
    b.mutation("createDisclosureConsent", CONSENT, op!(change::create));
    b.mutation("revokeDisclosureConsent", CONSENT, op!(change::revoke));
}

/// `disclosureConsent`.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = args.get::<Id<DisclosureConsent>>("id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `disclosureConsents`: of one client, those that were revoked or are over as well.
fn of_client(request: &Request, args: &Args) -> Answer<Listing> {
    let Some(client) = args.get::<Id<User>>("user_id", request)? else {
        return Ok(Listing::none());
    };
    Ok(Listing::of(Cond::eq("user_id", client.0)).naming(&USERS, vec![client.0]))
}
