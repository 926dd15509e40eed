//! What changes organizations (behaviour 15), and what a root says for those below it.

use ward_engine::{Bindings, Out, Returns, op};

use crate::organization;
use crate::tables::{ORGANIZATION_INFOS, ORGANIZATIONS, USERS, organizations as at};

static UPDATED: &[(&str, Returns)] = &[
    ("organization", Returns::One(&ORGANIZATIONS)),
    ("updated_organization_info", Returns::One(&ORGANIZATION_INFOS)),
];
static CREATED: &[(&str, Returns)] =
    &[("organization", Returns::One(&ORGANIZATIONS)), ("currentUser", Returns::One(&USERS))];

/// What says whether files are looked at, and whose word it is.
const SCAN: &[usize] = &[at::parent_organization_id, at::upload_scan];

/// Registers the mutations.
pub fn bind(b: &mut Bindings) {
    b.computed("Organization", "upload_scan", SCAN, |_, row, _| {
        match row.get(at::parent_organization_id).int() {
            None => row.text(at::upload_scan).into(),
            Some(_) => Out::Null,
        }
    });
    b.mutation("updateOrganization", UPDATED, op!(organization::update));
    b.mutation_prepared(
        "createOrganization",
        CREATED,
        |request, input: organization::CreateOrganization| {
            Box::pin(organization::prepare(request, input))
        },
        op!(organization::create),
    );
}
