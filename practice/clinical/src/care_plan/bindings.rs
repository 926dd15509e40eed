//! What answers each contract field of care plans.

use ward_clients::tables::USER_GROUPS;
use ward_documents::tables::DOCUMENTS;
use ward_engine::{Bindings, Kind, Link, Out, Returns, RowView, op};
use ward_identity::tables::{ORGANIZATIONS, USERS, User, organizations, users};
use ward_store::{Entity, Join};

use super::table::{
    CARE_PLAN_CONNECTIONS, CARE_PLAN_RECOMMENDATION_CATEGORIES, CARE_PLANS,
    GROUP_CARE_PLAN_USER_CONNECTIONS, RECOMMENDATIONS, care_plan_connections as parts,
    care_plan_recommendation_categories as categories, care_plans as at, recommendations,
};
use super::visibility::ACTIVE;
use super::{
    activate, category, change, connect, listing, mail, recommendation, rules, shown, template,
};
use crate::goal::listing::SET;
use crate::goal::table::GOALS;

const OF: &str = "CarePlan";
const ADVICE: &str = "Recommendation";
const CATEGORY: &str = "CarePlanRecommendationCategory";
const PART: &str = "CarePlanConnection";

/// From a plan to its documents.
const DOCUMENTS_OF: Join = Join {
    table: "(SELECT c.org_id, c.care_plan_id, c.document_id FROM care_plan_connections c \
         WHERE c.deleted_at IS NULL AND c.document_id IS NOT NULL)",
    to: "document_id",
    from: "care_plan_id",
};
/// From a plan to its goals.
const GOALS_OF: Join = Join {
    table: "(SELECT c.org_id, c.care_plan_id, c.goal_id FROM care_plan_connections c \
         WHERE c.deleted_at IS NULL AND c.goal_id IS NOT NULL)",
    to: "goal_id",
    from: "care_plan_id",
};
/// From a client to the plan that is active for them.
const PLAN_OF: Join = Join { table: ACTIVE, to: "care_plan_id", from: "user_id" };
/// From a client to the plan of their group that is active for them.
const GROUP_PLAN_OF: Join = Join {
    table: "(SELECT l.org_id, l.care_plan_id, l.user_id FROM group_care_plan_user_connections l \
         JOIN users lu ON lu.org_id = l.org_id AND lu.id = l.user_id WHERE l.active = TRUE \
         AND l.deleted_at IS NULL AND l.user_group_id = lu.user_group_id)",
    to: "care_plan_id",
    from: "user_id",
};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    queries(b);
    plan_fields(b);
    part_fields(b);
    of_others(b);
    plan_mutations(b);
    part_mutations(b);
}

fn queries(b: &mut Bindings) {
    b.query_one("carePlan", &CARE_PLANS, listing::one).args(listing::ONE_ARGS);
    b.query_list("carePlans", &CARE_PLANS, listing::many)
        .args(listing::LIST_ARGS)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
    b.query_count("carePlansCount", &CARE_PLANS, listing::count).args(listing::COUNT_ARGS);
    b.query_count("carePlansTemplatesCount", &CARE_PLANS, listing::templates)
        .args(listing::TEMPLATES_ARGS);
}

fn plan_fields(b: &mut Bindings) {
    b.object(OF, &CARE_PLANS);
    b.cursor(OF);
    // It is the staff's: clients read the description.
    b.computed(OF, "name", &[at::name], |request, row: &RowView<'_>, _| {
        match request.actor.is_client() {
            true => Out::Null,
            false => row.text(at::name).into(),
        }
    });
    // Whoever made it, in public to the client.
    b.one(OF, "creator", &USERS, Link::Key(at::creator_id)).listing(listing::public);
    b.one(OF, "patient", &USERS, Link::Key(at::patient_id));
    b.one(OF, "user_group", &USER_GROUPS, Link::Key(at::user_group_id));
    b.computed(OF, "is_group", &[at::user_group_id], |_, row: &RowView<'_>, _| {
        Out::from(!row.get(at::user_group_id).is_null())
    });
    b.many(OF, "documents", &DOCUMENTS, Link::Join { parent: at::id, join: DOCUMENTS_OF })
        .orders(listing::BY_NAME, "NAME_ASC");
    b.many(OF, "goals", &GOALS, Link::Join { parent: at::id, join: GOALS_OF })
        .orders(SET, "CREATED_AT_ASC");
    let own = Link::Column { parent: at::id, child: "care_plan_id" };
    b.many(OF, "recommendations", &RECOMMENDATIONS, own).orders(listing::ADDED, "CREATED_AT_ASC");
    b.batch(OF, "is_active", shown::NEEDS, |request, q, rows, _| {
        Box::pin(shown::are_active(request, q, rows))
    });
    b.batch(OF, "assigned_to", shown::NEEDS, |request, q, rows, _| {
        Box::pin(shown::assigned_to(request, q, rows))
    });
    b.batch(OF, "has_users_with_real_emails", shown::NEEDS, |request, q, rows, _| {
        Box::pin(shown::can_be_told(request, q, rows))
    });
    b.batch(OF, "group_plan_is_active_for_given_user", shown::NEEDS, |request, q, rows, args| {
        Box::pin(shown::are_active_for(request, q, rows, args))
    })
    .args(&[("patient_id", Kind::Id(User::NAME))]);
}

fn part_fields(b: &mut Bindings) {
    b.object(ADVICE, &RECOMMENDATIONS);
    b.computed(ADVICE, "sanitized_body", &[recommendations::recommendation_body], |_, row, _| {
        row.text(recommendations::recommendation_body).map(rules::without_tags).into()
    });
    let category = Link::Key(recommendations::care_plan_recommendation_category_id);
    b.one(
        ADVICE,
        "care_plan_recommendation_category",
        &CARE_PLAN_RECOMMENDATION_CATEGORIES,
        category,
    );
    b.object(CATEGORY, &CARE_PLAN_RECOMMENDATION_CATEGORIES);
    b.computed(CATEGORY, "is_editable", &[categories::unit_id], |request, row, _| {
        let actor = &request.actor;
        let is_own = row.get(categories::unit_id).int() == Some(actor.unit_id);
        Out::from(actor.is_member() && (is_own || actor.is_at_root()))
    });
    b.one(CATEGORY, "organization", &ORGANIZATIONS, Link::Key(categories::unit_id))
        .listing(listing::public);
    b.object(PART, &CARE_PLAN_CONNECTIONS);
    const CONNECTED: &[usize] = &[parts::document_id, parts::goal_id];
    b.computed(PART, "connectable_id", CONNECTED, |_, row, _| {
        let id = row.get(parts::document_id).int().or_else(|| row.get(parts::goal_id).int());
        id.map(|id| id.to_string()).into()
    });
    b.computed(PART, "connectable_type", CONNECTED, |_, row, _| {
        (if row.get(parts::goal_id).is_null() { "Document" } else { "Goal" }).into()
    });
    b.object("GroupCarePlanUserConnection", &GROUP_CARE_PLAN_USER_CONNECTIONS);
}

/// What is said of plans elsewhere.
fn of_others(b: &mut Bindings) {
    let plan = Link::Join { parent: users::id, join: PLAN_OF };
    b.one("User", "active_care_plan", &CARE_PLANS, plan);
    let plan = Link::Join { parent: users::id, join: GROUP_PLAN_OF };
    b.one("User", "active_group_care_plan", &CARE_PLANS, plan);
    let own = Link::Column { parent: organizations::id, child: "unit_id" };
    b.many(
        "Organization",
        "care_plan_recommendation_categories",
        &CARE_PLAN_RECOMMENDATION_CATEGORIES,
        own,
    )
    .args(listing::CATEGORIES_ARGS)
    .listing(listing::categories)
    .orders(listing::CATEGORY_ORDERS, "NAME_ASC");
}

fn plan_mutations(b: &mut Bindings) {
    const PLAN: &[(&str, Returns)] = &[("carePlan", Returns::One(&CARE_PLANS))];
    const PLANS: &[(&str, Returns)] = &[("carePlans", Returns::Many(&CARE_PLANS))];
    b.mutation("createCarePlan", PLAN, op!(change::create));
    b.mutation("updateCarePlan", PLAN, op!(change::update));
    b.mutation("deleteCarePlan", PLAN, op!(change::delete));
    b.mutation("exportCarePlanToTemplate", PLAN, op!(template::export));
    b.mutation("bulkApplyCarePlanTemplate", PLANS, op!(template::apply));
    b.mutation("toggleCarePlanStatusForSpecificUser", PLAN, op!(activate::toggle));
    b.mutation("updateGroupCarePlan", PLAN, op!(activate::update_group));
    b.mutation("bulkUpdateCarePlanUsers", PLANS, op!(activate::bulk));
    b.mutation("sendCarePlanEmail", PLAN, op!(mail::send));
    const LEFT: &[(&str, Returns)] =
        &[("groupCarePlanUserConnection", Returns::One(&GROUP_CARE_PLAN_USER_CONNECTIONS))];
    b.mutation("removeUserFromGroupCarePlan", LEFT, op!(activate::remove_user));
}

fn part_mutations(b: &mut Bindings) {
    const ADDED: &[(&str, Returns)] = &[("care_plan", Returns::One(&CARE_PLAN_CONNECTIONS))];
    b.mutation("updateByTemplate", ADDED, op!(template::add));
    const GONE: &[(&str, Returns)] = &[("connection", Returns::One(&CARE_PLAN_CONNECTIONS))];
    b.mutation("deleteCarePlanConnection", GONE, op!(connect::delete));
    const SAID: &[(&str, Returns)] = &[("recommendation", Returns::One(&RECOMMENDATIONS))];
    b.mutation("createRecommendation", SAID, op!(recommendation::create));
    b.mutation("updateRecommendation", SAID, op!(recommendation::update));
    b.mutation("deleteRecommendation", SAID, op!(recommendation::delete));
    const SORTED: &[(&str, Returns)] = &[
        ("care_plan_recommendation_category", Returns::One(&CARE_PLAN_RECOMMENDATION_CATEGORIES)),
        ("organization", Returns::One(&ORGANIZATIONS)),
    ];
    b.mutation("createCarePlanRecommendationCategory", SORTED, op!(category::create));
    b.mutation("updateCarePlanRecommendationCategory", SORTED, op!(category::update));
    b.mutation("deleteCarePlanRecommendationCategory", SORTED, op!(category::delete));
}
