//! Fields of filled forms and notes.

use ward_engine::{Answer, Bindings, Kind, Link, Listing, Out, Request, RowView};
use ward_identity::autolock::in_force;
use ward_identity::tables::{USERS, users};
use ward_instance::Timestamp;
use ward_scheduling::appointment::table::{APPOINTMENTS, appointments};
use ward_store::{Entity, Query};

use crate::filled::listing;
use crate::filled::tables::{FORM_ANSWER_GROUPS, FORM_ANSWERS, form_answer_groups as at};
use crate::tables::{CUSTOM_MODULE_FORMS, CustomModule, custom_module_forms};

const OF: &str = "FormAnswerGroup";
const ITEM: &str = "ChartingItemType";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &FORM_ANSWER_GROUPS);
    b.cursor(OF);
    // The contract's `created_at` is the date of service.
    b.column(OF, "created_at", at::served_at);
    b.column(OF, "record_created_at", at::created_at);
    // A program's own data is nothing to clients (behaviour 9).
    b.computed(OF, "metadata", &[at::metadata], |request, row, _| {
        row.text(at::metadata).filter(|_| request.actor.is_member()).map(str::to_owned).into()
    });
    for field in ["is_locked", "frozen"] {
        b.computed(OF, field, &[at::locked_at], |_, row, _| is_locked(row).into());
    }
    b.computed(OF, "is_autolocked", &[at::locked_at, at::locked_by_id], |_, row, _| {
        (is_locked(row) && row.get(at::locked_by_id).is_null()).into()
    });
    b.batch(OF, "autolocks_at", &[at::unit_id, at::autolock_from], |request, q, rows, _| {
        Box::pin(autolocks(request, q, rows))
    });
    b.batch(OF, "user_id", &[at::user_id], |request, q, rows, _| {
        Box::pin(super::clients(request, q, rows, at::user_id))
    });
    b.computed(OF, "chart_note_status", &[at::signings_count, at::locked_at], |_, row, _| {
        status(row).into()
    });
    b.value_object(
        "AutoscoredSectionType",
        &["has_autoscored_calculator", "section_key", "section_title", "show", "value"],
    );
    b.computed(OF, "autoscored_sections", &[at::scores], |_, row, _| scores(row));
    people(b);
    links(b);
    items(b);
}

fn people(b: &mut Bindings) {
    // Whoever works on it, in public to the client.
    for (field, column) in
        [("filler", at::filler_id), ("user", at::user_id), ("locked_by", at::locked_by_id)]
    {
        b.one(OF, field, &USERS, Link::Key(column)).listing(|_, _| Ok(Listing::all().public()));
    }
    let charted = Link::Column { parent: users::id, child: "user_id" };
    b.many("User", "form_answer_groups", &FORM_ANSWER_GROUPS, charted)
        .listing(listing::of_parent)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
}

fn links(b: &mut Bindings) {
    let template = Link::Key(at::custom_module_form_id);
    b.one(OF, "custom_module_form", &CUSTOM_MODULE_FORMS, template).listing(listing::template);
    b.one(OF, "appointment", &APPOINTMENTS, Link::Key(at::appointment_id));
    let own = Link::Column { parent: at::id, child: "form_answer_group_id" };
    b.many(OF, "form_answers", &FORM_ANSWERS, own)
        .args(&[
            ("custom_module_ids", Kind::Ids(CustomModule::NAME)),
            ("is_for_editing", Kind::Plain),
        ])
        .listing(listing::answers)
        .orders(listing::BY_PLACE, "PLACE_ASC");
    let filled = Link::Column { parent: custom_module_forms::id, child: "custom_module_form_id" };
    b.many("CustomModuleForm", "form_answer_groups", &FORM_ANSWER_GROUPS, filled)
        .listing(listing::of_parent)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
    let session = Link::Column { parent: appointments::id, child: "appointment_id" };
    b.many("Appointment", "form_answer_groups", &FORM_ANSWER_GROUPS, session)
        .listing(listing::of_parent)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
    b.one("Appointment", "form_answer_group", &FORM_ANSWER_GROUPS, session)
        .listing(listing::of_parent)
        .orders(listing::ORDERS, "CREATED_AT_DESC");
}

/// Entries of a chart are the forms and notes in it; documents are a domain of their own.
fn items(b: &mut Bindings) {
    b.object(ITEM, &FORM_ANSWER_GROUPS);
    b.column(ITEM, "created_at", at::served_at);
    b.column(ITEM, "form_answer_group_id", at::id);
    b.one(ITEM, "form_answer_group", &FORM_ANSWER_GROUPS, Link::Key(at::id));
    for field in ["is_document", "is_generated"] {
        b.computed(ITEM, field, &[], |_, _, _| Out::Bool(false));
    }
    b.computed(ITEM, "signed", &[at::signings_count], |_, row, _| {
        row.get(at::signings_count).int().is_some_and(|count| count > 0).into()
    });
    b.batch(
        ITEM,
        "custom_module_form_name",
        &[at::custom_module_form_id],
        |request, q, rows, _| {
            Box::pin(of_templates(request, q, rows, |name, _| name.map(str::to_owned).into()))
        },
    );
    b.batch(ITEM, "use_for_program", &[at::custom_module_form_id], |request, q, rows, _| {
        Box::pin(of_templates(request, q, rows, |_, is_program| is_program.into()))
    });
    b.batch(ITEM, "provider_name", &[at::filler_id], |request, q, rows, _| {
        Box::pin(fillers(request, q, rows))
    });
}

fn is_locked(row: &RowView<'_>) -> bool {
    !row.get(at::locked_at).is_null()
}

fn status(row: &RowView<'_>) -> &'static str {
    listing::status(row.get(at::signings_count).int().unwrap_or(0), is_locked(row))
}

/// When each locks by itself, as its organization has it now.
async fn autolocks(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let units = super::numbers(&rows, at::unit_id);
    let settings = in_force(q, request.actor.org_id, &units).await?;
    let when = |row: &RowView<'_>| {
        let from = row.get(at::autolock_from).int().map(Timestamp)?;
        let setting = row.get(at::unit_id).int().and_then(|unit| settings.get(&unit))?;
        Some(setting.due(from))
    };
    Ok(rows.iter().map(|row| when(row).map_or(Out::Null, Out::Instant)).collect())
}

/// Scores as they were kept with the answers.
fn scores(row: &RowView<'_>) -> Out {
    let kept = row.text(at::scores).unwrap_or("[]");
    let list: Vec<serde_json::Value> = serde_json::from_str(kept).unwrap_or_default();
    Out::List(list.into_iter().map(Out::Json).collect())
}

/// Something of the template of each.
async fn of_templates(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    value: fn(Option<&str>, bool) -> Out,
) -> Answer<Vec<Out>> {
    use custom_module_forms as form;
    let found = super::related(
        request,
        q,
        (&CUSTOM_MODULE_FORMS, true),
        (&rows, at::custom_module_form_id),
        vec![form::id, form::name, form::use_for_program],
    )
    .await?;
    let of = |row: &RowView<'_>| {
        let found = row.get(at::custom_module_form_id).int().and_then(|id| found.get(&id));
        match found.map(Vec::as_slice) {
            Some([_, name, program, ..]) => value(name.text(), program.truth()),
            _ => Out::Null,
        }
    };
    Ok(rows.iter().map(of).collect())
}

/// The names of those who filled in.
async fn fillers(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let columns = vec![users::id, users::first_name, users::last_name];
    let found =
        super::related(request, q, (&USERS, false), (&rows, at::filler_id), columns).await?;
    let of = |row: &RowView<'_>| {
        let found = row.get(at::filler_id).int().and_then(|id| found.get(&id))?;
        let [_, first, last, ..] = found.as_slice() else { return None };
        let names: Vec<&str> = [first.text(), last.text()].into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
