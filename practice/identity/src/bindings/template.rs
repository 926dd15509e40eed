//! `PermissionTemplateType`, and what changes templates (behaviour 16.1).

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Request, Returns, op};
use ward_store::{Cond, Entity, Flags, Id};

use crate::flags;
use crate::tables::{
    PERMISSION_TEMPLATES, PermissionTemplate, TEMPLATE_FLAG_COLUMNS, USERS,
    permission_templates as at,
};
use crate::template;

/// Templates by their names.
pub const ORDERS: &[OrderOption] = &[OrderOption { name: "NAME", expression: "{t}.name_fold" }];

static CREATED: &[(&str, Returns)] =
    &[("newPermissionTemplate", Returns::One(&PERMISSION_TEMPLATES))];
static UPDATED: &[(&str, Returns)] = &[("permissionTemplate", Returns::One(&PERMISSION_TEMPLATES))];
static DELETED: &[(&str, Returns)] =
    &[("permission_template", Returns::One(&PERMISSION_TEMPLATES))];

/// What `can_be_edited` reads: the unit, then every flag.
static EDITED_NEEDS: std::sync::LazyLock<Vec<usize>> = std::sync::LazyLock::new(|| {
    std::iter::once(at::unit_id).chain(TEMPLATE_FLAG_COLUMNS.iter().copied()).collect()
});

/// Registers the type, its queries and its mutations.
pub fn bind(b: &mut Bindings) {
    b.object("PermissionTemplateType", &PERMISSION_TEMPLATES);
    b.cursor("PermissionTemplateType");
    b.one("PermissionTemplateType", "user", &USERS, Link::Key(at::user_id));
    b.computed("PermissionTemplateType", "can_be_edited", &EDITED_NEEDS, |request, row, _| {
        let lines = flags::ALL.iter().zip(TEMPLATE_FLAG_COLUMNS);
        let held = lines.filter(|(_, column)| row.get(**column).truth());
        let held = held.fold(Flags::default(), |set, (line, _)| set.with(line.permission.flag));
        let unit_id = row.get(at::unit_id).int().unwrap_or(0);
        template::can_be_edited(&request.actor, unit_id, held).into()
    });
    b.query_one("permissionTemplate", &PERMISSION_TEMPLATES, one)
        .args(&[("id", Kind::Id(PermissionTemplate::NAME))]);
    b.query_list("permissionTemplates", &PERMISSION_TEMPLATES, all).orders(ORDERS, "NAME_ASC");
    b.query_count("permissionTemplatesCount", &PERMISSION_TEMPLATES, all);
    b.mutation("createPermissionTemplate", CREATED, op!(template::create));
    b.mutation("updatePermissionTemplate", UPDATED, op!(template::update));
    b.mutation("deletePermissionTemplate", DELETED, op!(template::delete));
}

fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = args.get::<Id<PermissionTemplate>>("id", request)?;
    Ok(Listing::of(id.map_or(Cond::Never, |id| Cond::eq("id", id.0))))
}

fn all(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all())
}
