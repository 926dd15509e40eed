//! What changes organizations (behaviour 15).

use ward_engine::{Bindings, Returns, op};

use crate::organization;
use crate::tables::{ORGANIZATION_INFOS, ORGANIZATIONS, USERS};

static UPDATED: &[(&str, Returns)] = &[
    ("organization", Returns::One(&ORGANIZATIONS)),
    ("updated_organization_info", Returns::One(&ORGANIZATION_INFOS)),
];
static CREATED: &[(&str, Returns)] =
    &[("organization", Returns::One(&ORGANIZATIONS)), ("currentUser", Returns::One(&USERS))];

/// Registers the mutations.
pub fn bind(b: &mut Bindings) {
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
