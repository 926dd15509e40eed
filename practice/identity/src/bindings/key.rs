//! `ApiKey` (behaviour 17): which keys somebody may see is the table's own
//! rule; here is how a key is shown.

use ward_engine::{Answer, Args, Bindings, Kind, Listing, OrderOption, Request};

use crate::key::{addresses, keyword_cond, masked};
use crate::tables::{API_KEYS, api_keys as at};

/// What lists of keys can be ordered by.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
];

/// Registers the type and its queries.
pub fn bind(b: &mut Bindings) {
    b.object("ApiKey", &API_KEYS);
    b.cursor("ApiKey");
    b.computed("ApiKey", "displayable_key", &[at::class, at::kid], |request, row, _| {
        let class = row.text(at::class).unwrap_or_default();
        row.text(at::kid).map(|kid| masked(&request.instance, class, kid)).into()
    });
    b.computed("ApiKey", "allowed_addresses", &[at::allowed_addresses], |_, row, _| {
        let kept = addresses(row.text(at::allowed_addresses));
        let texts = kept.as_ref().and_then(|kept| kept.as_array());
        texts.map(|texts| texts.iter().filter_map(|it| it.as_str()).collect::<Vec<_>>()).into()
    });
    b.query_list("apiKeys", &API_KEYS, listing)
        .args(&[("keywords", Kind::Plain)])
        .orders(ORDERS, "CREATED_AT_DESC");
    b.query_count("apiKeysCount", &API_KEYS, listing).args(&[("keywords", Kind::Plain)]);
}

/// Keys by keywords.
pub fn listing(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing::of(keyword_cond(request.actor.org_id, args.text("keywords"))))
}
