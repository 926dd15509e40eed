//! Fields of templates.

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Link, Listing, Out, Request, RowView};
use ward_identity::tables::USERS;
use ward_store::Query;

use super::question::asked;
use crate::listing;
use crate::rules::{Question, kind};
use crate::tables::{CUSTOM_MODULE_FORMS, CUSTOM_MODULES, custom_module_forms as at};

const OF: &str = "CustomModuleForm";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &CUSTOM_MODULE_FORMS);
    b.cursor(OF);
    b.computed(OF, "uploaded_by_healthie_team", &[at::user_id], |_, row, _| {
        row.get(at::user_id).is_null().into()
    })
    .public();
    b.one(OF, "user", &USERS, Link::Key(at::user_id));
    b.one(OF, "last_updated_by_user", &USERS, Link::Key(at::last_updated_by_user_id));
    let own = Link::Column { parent: at::id, child: "custom_module_form_id" };
    b.many(OF, "custom_modules", &CUSTOM_MODULES, own)
        .listing(|_, _| Ok(Listing::all().public()))
        .orders(listing::BY_PLACE, "POSITION_ASC")
        .public();
    b.batch(OF, "has_matrix_field", &[at::id], |request, q, rows, _| {
        Box::pin(any(request, q, rows, |it| it.mod_type == kind::MATRIX))
    })
    .public();
    b.batch(OF, "has_non_readonly_modules", &[at::id], |request, q, rows, _| {
        Box::pin(any(request, q, rows, |it| !kind::is_read_only(&it.mod_type)))
    })
    .public();
}

/// Whether a question of each template is one of those.
async fn any(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    is: fn(&Question) -> bool,
) -> Answer<Vec<Out>> {
    let forms: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    let found: HashMap<i64, Vec<Question>> = asked(request, q, forms).await?;
    let has = |row: &RowView<'_>| {
        let own = row.get(at::id).int().and_then(|id| found.get(&id));
        Out::from(own.is_some_and(|own| own.iter().any(is)))
    };
    Ok(rows.iter().map(has).collect())
}
