//! Brands, licences and what an organization is to payers, through the engine.

use serde_json::Value as Json;
use ward_engine::ViewId;
use ward_identity::flags::{CAN_EDIT_SETTINGS, HAS_OWN_BRANDING, IS_PROVIDER};
use ward_identity::practice::{self, Place};
use ward_identity::profile::new_license;
use ward_identity::tables::{OrgRole, Organization};
use ward_store::{Cond, Flags, Id};

use crate::support::{World, member};

/// A member of the founding practice with exactly these flags; their key.
async fn member_with(
    world: &World,
    name: &'static str,
    held: &'static [ward_engine::Permission],
) -> (i64, String) {
    let org_id = world.founded.organization.id.0;
    let id = world
        .system(org_id, move |scope| {
            Box::pin(async move {
                let unit = scope.find_by::<Organization>(Cond::eq("id", org_id)).await.unwrap();
                let held = held.iter().fold(Flags::default(), |set, it| set.with(it.flag));
                let place = Place { role: OrgRole::Standard, held };
                let email = format!("{}@example.com", name.to_lowercase());
                let (unit, new) = (unit.unwrap(), member(name, &email));
                practice::add_member(scope, &unit, &new, place).await.unwrap().0.id.0
            })
        })
        .await;
    (id, world.key(org_id, id).await)
}

async fn run(world: &World, key: &str, query: &str) -> Json {
    world.run(key, ViewId::V2026, query).await
}

async fn a_brand_is_made_shown_and_changed(world: World) {
    let owner = world.owner_key().await;
    let (plain_id, plain) = member_with(&world, "Pia", &[IS_PROVIDER]).await;
    let created = run(
        &world,
        &owner,
        r##"mutation { createBrand(input: { brand_name: "First", custom_sign_in_path: "First-Practice",
            bg_color: "#1a2b3c" }) { brand { id bg_color custom_sign_in_path display_embed_title }
            messages { field message } } }"##,
    )
    .await;
    let brand = &created["data"]["createBrand"]["brand"];
    assert_eq!(brand["custom_sign_in_path"], "first-practice", "{created}");
    assert_eq!(brand["display_embed_title"], true);
    // Everybody finds it: by path, by a provider of the practice, by a page's address.
    for query in [
        "{ brand(custom_sign_in_path: \"FIRST-practice\") { brand_name brand_owner { first_name } } }"
            .to_owned(),
        format!("{{ brand(provider_id: \"{plain_id}\") {{ brand_name brand_owner {{ first_name }} }} }}"),
        format!("{{ brand(locationString: \"https://x.example/book?a=1&dietitian_id={plain_id}\") {{ brand_name }} }}"),
        "{ brand(locationString: \"https://x.example/first-practice/\") { brand_name } }".to_owned(),
    ] {
        let seen = run(&world, "", &query).await;
        assert_eq!(seen["data"]["brand"]["brand_name"], "First", "{seen}");
    }
    // It is the organization's: a member without one of their own shows it.
    let seen = run(
        &world,
        &plain,
        "{ currentUser { brand_name branded_name can_edit_brand displayed_brand { id } \
         brand(is_for_editing: true) { id } } }",
    )
    .await;
    let user = &seen["data"]["currentUser"];
    assert_eq!(user["brand_name"], "First", "{seen}");
    assert_eq!(user["displayed_brand"]["id"], brand["id"]);
    assert_eq!(user["brand"], Json::Null, "not theirs to change");
    assert_eq!(user["can_edit_brand"], false);
    let wrong = run(
        &world,
        &owner,
        r##"mutation { updateBrand(input: { website: "javascript:alert(1)", bg_color: "url(x)",
            theme_accent_primary: "red", custom_sign_in_path: "-" }) { messages { field } } }"##,
    )
    .await;
    let fields: Vec<&str> = wrong["data"]["updateBrand"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    let wanted = ["bg_color", "website", "theme_accent_primary", "custom_sign_in_path"];
    assert_eq!(fields, wanted, "{wrong}");
    let again = run(
        &world,
        &owner,
        "mutation { createBrand(input: { brand_name: \"Second\" }) { messages { field message } } }",
    )
    .await;
    assert_eq!(again["data"]["createBrand"]["messages"][0]["field"], "base", "{again}");
}
both!(a_brand_is_made_shown_and_changed);

async fn who_may_change_a_brand(world: World) {
    let owner = world.owner_key().await;
    let (_, plain) = member_with(&world, "Pia", &[IS_PROVIDER]).await;
    let (_, own) = member_with(&world, "Otto", &[IS_PROVIDER, HAS_OWN_BRANDING]).await;
    let (_, settings) = member_with(&world, "Sina", &[CAN_EDIT_SETTINGS]).await;
    let create = |name: &str| {
        format!(
            "mutation {{ createBrand(input: {{ brand_name: \"{name}\" }}) {{ brand {{ id brand_owner {{ first_name }} }} messages {{ field }} }} }}"
        )
    };
    let refused = run(&world, &plain, &create("Pia's")).await;
    assert_eq!(refused["errors"][0]["extensions"]["permission"], "has_own_branding", "{refused}");
    // Who edits settings makes the organization's brand, which is its owner's.
    let made = run(&world, &settings, &create("Practice")).await;
    let organization = &made["data"]["createBrand"]["brand"];
    assert_eq!(organization["brand_owner"]["first_name"], "Olga", "{made}");
    let made = run(&world, &own, &create("Otto's")).await;
    let ottos = made["data"]["createBrand"]["brand"]["id"].as_str().unwrap().to_owned();
    let shown =
        run(&world, &own, "{ currentUser { brand_name brand(is_for_editing: true) { id } } }")
            .await;
    assert_eq!(shown["data"]["currentUser"]["brand_name"], "Otto's");
    assert_eq!(shown["data"]["currentUser"]["brand"]["id"], ottos.as_str());
    let update = |id: &str| {
        format!(
            "mutation {{ updateBrand(input: {{ id: \"{id}\", slogan: \"New\" }}) {{ brand {{ slogan }} messages {{ field message }} }} }}"
        )
    };
    let organization = organization["id"].as_str().unwrap();
    for (key, id, verdict) in [
        (&own, ottos.as_str(), "done"),
        (&own, organization, "can_edit_settings"),
        (&settings, organization, "done"),
        (&owner, &ottos, "done"),
        (&plain, organization, "has_own_branding"),
    ] {
        let answer = run(&world, key, &update(id)).await;
        let told = match answer["errors"][0]["extensions"]["permission"].as_str() {
            Some(permission) => permission,
            None if answer["data"]["updateBrand"]["brand"]["slogan"] == "New" => "done",
            None => "refused",
        };
        assert_eq!(told, verdict, "{answer}");
    }
    // Another practice: the brand is not there, and its path is taken.
    let other = world.practice("other@example.com").await;
    let stranger = world.key(other.organization.id.0, other.owner.id.0).await;
    let answer = run(&world, &stranger, &update(organization)).await;
    assert_eq!(answer["data"]["updateBrand"]["messages"][0]["message"], "Object not found");
    let path = "mutation { updateBrand(input: { custom_sign_in_path: \"shared\" }) { messages { field } } }";
    let answer = run(&world, &owner, path).await;
    assert_eq!(answer["data"]["updateBrand"]["messages"], Json::Null, "{answer}");
    let path = "mutation { createBrand(input: { custom_sign_in_path: \"Shared\" }) { messages { field } } }";
    let answer = run(&world, &stranger, path).await;
    assert_eq!(
        answer["data"]["createBrand"]["messages"][0]["field"], "custom_sign_in_path",
        "{answer}"
    );
}
both!(who_may_change_a_brand);

async fn members_are_found_by_licence(world: World) {
    let owner = world.owner_key().await;
    let (id, _) = member_with(&world, "Pia", &[IS_PROVIDER]).await;
    let org_id = world.founded.organization.id.0;
    world
        .system(org_id, move |scope| {
            Box::pin(async move {
                let user = scope.find(Id::new(id)).await.unwrap().unwrap();
                let row = new_license(scope.next_id().await.unwrap(), &user, "NY", scope.now());
                scope.create(&row).await.unwrap();
            })
        })
        .await;
    for (state, found) in [("ny", 1), ("New York", 1), ("NJ", 0), ("nowhere", 0)] {
        let query = format!(
            "{{ organizationMembers(licensed_in_state: \"{state}\") {{ total_count nodes {{ id }} }} \
             organization {{ providers(licensed_in_state: \"{state}\") {{ total_count }} \
             active_care_team_members(state_licenses: [\"{state}\"]) {{ id }} }} \
             o: organization(state_licenses: [\"{state}\"]) {{ id }} }}"
        );
        let data = run(&world, &owner, &query).await["data"].clone();
        assert_eq!(data["organizationMembers"]["total_count"], found, "{state}: {data}");
        assert_eq!(data["organization"]["providers"]["total_count"], found);
        assert_eq!(data["o"].is_object(), found == 1, "{state}: {data}");
    }
    let query = format!(
        "{{ stateLicenses(provider_id: \"{id}\") {{ nodes {{ state full_state_name }} }} \
         organization {{ state_licenses }} user(id: \"{id}\") {{ state_licenses {{ state }} }} }}"
    );
    let data = run(&world, &owner, &query).await["data"].clone();
    assert_eq!(data["stateLicenses"]["nodes"][0]["full_state_name"], "New York", "{data}");
    assert_eq!(data["organization"]["state_licenses"][0], "NY");
    assert_eq!(data["user"]["state_licenses"][0]["state"], "NY");
    let seen =
        run(&world, "", &format!("{{ stateLicenses(provider_id: \"{id}\") {{ total_count }} }}"))
            .await;
    assert_ne!(seen["data"]["stateLicenses"]["total_count"], 1, "{seen}");
}
both!(members_are_found_by_licence);

async fn an_organization_is_something_to_payers(world: World) {
    let owner = world.owner_key().await;
    let (_, plain) = member_with(&world, "Pia", &[IS_PROVIDER]).await;
    let query = "{ organizationInfo { id name primary organization { id } } \
                 organization { organization_info { id } organization_infos { total_count } } }";
    let data = run(&world, &owner, query).await["data"].clone();
    assert_eq!(data["organizationInfo"]["name"], "First Practice", "{data}");
    assert_eq!(data["organizationInfo"]["primary"], true);
    assert_eq!(data["organization"]["organization_infos"]["total_count"], 1);
    let id = data["organizationInfo"]["id"].as_str().unwrap();
    let delete = format!(
        "mutation {{ deleteOrganizationInfo(input: {{ id: \"{id}\" }}) {{ organizationInfo {{ id }} messages {{ message }} }} }}"
    );
    let answer = run(&world, &owner, &delete).await;
    let told = &answer["data"]["deleteOrganizationInfo"]["messages"][0]["message"];
    assert_eq!(told, "The primary one can't be deleted", "{answer}");
    let answer = run(&world, &plain, &delete).await;
    assert_eq!(answer["errors"][0]["extensions"]["permission"], "can_edit_settings", "{answer}");
    let provider = format!("{{ provider(organization_info_id: \"{id}\") {{ first_name }} }}");
    let data = run(&world, &plain, &provider).await["data"].clone();
    assert_eq!(data["provider"]["first_name"], "Olga", "{data}");
    let other = world.practice("other@example.com").await;
    let stranger = world.key(other.organization.id.0, other.owner.id.0).await;
    for query in [provider, format!("{{ organizationInfo(id: \"{id}\") {{ id }} }}")] {
        let data = run(&world, &stranger, &query).await["data"].clone();
        assert!(data.as_object().unwrap().values().all(Json::is_null), "{data}");
    }
}
both!(an_organization_is_something_to_payers);

async fn a_member_says_what_they_show_of_themselves(world: World) {
    let owner = world.owner_key().await;
    let (id, pia) = member_with(&world, "Pia", &[IS_PROVIDER]).await;
    let (other_id, _) = member_with(&world, "Otto", &[IS_PROVIDER]).await;
    let update = |id: i64, fields: &str| {
        format!(
            "mutation {{ updateOrganizationMember(input: {{ id: \"{id}\", {fields} }}) {{ user {{ \
             state_licenses {{ id state }} provider_bio {{ bio }} other_id_numbers {{ id label }} }} \
             messages {{ field message }} }} }}"
        )
    };
    let answer = run(
        &world,
        &pia,
        &update(
            id,
            "state_licenses: [{ state: \"ny\" }, { state: \"New Jersey\" }, { state: \"NY\" }], \
             provider_bio: { bio: \"Hello\" }, other_id_numbers: [{ other_id: \"12\", other_id_qualifier: \"G2\" }]",
        ),
    )
    .await;
    let user = answer["data"]["updateOrganizationMember"]["user"].clone();
    let states: Vec<&str> = user["state_licenses"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states.len(), 2, "{states:?}");
    assert_eq!(user["provider_bio"]["bio"], "Hello");
    assert_eq!(user["other_id_numbers"][0]["label"], "G2 12");
    let license = user["state_licenses"][0]["id"].as_str().unwrap();
    let number = user["other_id_numbers"][0]["id"].as_str().unwrap();
    // What is another member's is not there, whoever names it.
    for fields in [
        format!("state_licenses: [{{ id: \"{license}\", state: \"CT\" }}]"),
        format!("other_id_numbers: [{{ id: \"{number}\", other_id: \"9\" }}]"),
    ] {
        let answer = run(&world, &owner, &update(other_id, &fields)).await;
        let told = &answer["data"]["updateOrganizationMember"]["messages"][0]["message"];
        assert_eq!(told, "Object not found", "{answer}");
    }
    let fields = format!(
        "state_licenses: [{{ id: \"{license}\", _destroy: true }}], provider_bio: {{ bio: \"\" }}, \
         other_id_numbers: [{{ id: \"{number}\", other_id: \"\", other_id_qualifier: \"\" }}]"
    );
    let answer = run(&world, &owner, &update(id, &fields)).await;
    let user = &answer["data"]["updateOrganizationMember"]["user"];
    assert_eq!(user["state_licenses"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(user["provider_bio"], Json::Null);
    assert_eq!(user["other_id_numbers"].as_array().map(Vec::len), Some(0));
    let answer = run(&world, &pia, &update(id, "state_licenses: [{ state: \"Ontario\" }]")).await;
    let told = &answer["data"]["updateOrganizationMember"]["messages"][0]["field"];
    assert_eq!(told, "state_licenses", "{answer}");
    let answer = run(&world, &pia, &update(other_id, "provider_bio: { bio: \"x\" }")).await;
    assert_eq!(answer["errors"][0]["extensions"]["permission"], "can_edit_members", "{answer}");
    // A stranger reads the biography and no licence.
    run(&world, &pia, &update(id, "provider_bio: { bio: \"Hello again\" }")).await;
    let query =
        format!("{{ user(id: \"{id}\") {{ provider_bio {{ bio }} state_licenses {{ state }} }} }}");
    let seen = run(&world, "", &query).await;
    let user = &seen["data"]["user"];
    if user.is_object() {
        assert_eq!(user["state_licenses"], Json::Null, "{seen}");
    }
}
both!(a_member_says_what_they_show_of_themselves);

async fn professions_and_specialties_are_replaced(world: World) {
    let owner = world.owner_key().await;
    let membership = world.founded.membership.id.0;
    let update = |fields: &str| {
        format!(
            "mutation {{ updateOrganizationMembership(input: {{ id: \"{membership}\", {fields} }}) {{ \
             organizationMembership {{ user {{ professions {{ profession profession_category }} \
             specialties {{ specialty }} }} }} messages {{ field message }} }} }}"
        )
    };
    let words = |answer: &Json| {
        let user =
            &answer["data"]["updateOrganizationMembership"]["organizationMembership"]["user"];
        let list = user["professions"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let mut words: Vec<String> =
            list.iter().map(|it| it["profession"].as_str().unwrap().to_owned()).collect();
        words.sort();
        words
    };
    let answer = run(
        &world,
        &owner,
        &update(
            "professions: [{ profession: \"Dietitian\", profession_category: \"Nutrition\" }, \
             { profession: \"Coach\" }], specialties: [{ specialty: \"Diabetes\" }]",
        ),
    )
    .await;
    assert_eq!(words(&answer), ["Coach", "Dietitian"]);
    let answer = run(&world, &owner, &update("professions: [{ profession: \"Nurse\" }]")).await;
    assert_eq!(words(&answer), ["Nurse"], "the list is what was sent last");
    let answer = run(&world, &owner, &update("title: \"Lead\"")).await;
    assert_eq!(words(&answer), ["Nurse"], "what is not sent stays");
    let answer = run(&world, &owner, &update("specialties: [{ specialty: \" \" }]")).await;
    let told = &answer["data"]["updateOrganizationMembership"]["messages"][0];
    assert_eq!(told["message"], "Specialty can't be blank", "{answer}");
}
both!(professions_and_specialties_are_replaced);

async fn people_around_a_member_are_told(world: World) {
    let owner = world.owner_key().await;
    let (pia_id, pia) = member_with(&world, "Pia", &[IS_PROVIDER]).await;
    let query = "{ currentUser { organization_email in_org in_multiple_providers_org can_insert_suborgs \
         cannot_access_org_member_settings can_see_audit_log_ui has_user_switch_options \
         switchable_users_count switchable_users { id } pretend_to_be full_legal_name_with_preferred \
         other_org_members { id } other_org_members_for_sharing { id } } \
         organization { users { id } all: users(show_all_by_default: true) { id } \
         found: users(keywords: \"pia\") { id } paginated_users(email: \"PIA@example.com\") { nodes { id } } } }";
    let seen = run(&world, &owner, query).await;
    assert_eq!(seen["errors"], Json::Null, "{seen}");
    let user = &seen["data"]["currentUser"];
    assert_eq!(user["organization_email"], "owner@example.com", "{seen}");
    assert_eq!(user["in_org"], true);
    assert_eq!(user["in_multiple_providers_org"], true, "the owner and Pia");
    assert_eq!(user["can_insert_suborgs"], true);
    assert_eq!(user["cannot_access_org_member_settings"], false);
    assert_eq!(user["has_user_switch_options"], false);
    assert_eq!(user["switchable_users_count"], 0);
    assert_eq!(user["pretend_to_be"], Json::Null);
    assert_eq!(user["full_legal_name_with_preferred"], "Olga Testcase");
    for field in ["other_org_members", "other_org_members_for_sharing"] {
        assert_eq!(user[field][0]["id"], pia_id.to_string().as_str(), "{field}");
        assert_eq!(user[field].as_array().unwrap().len(), 1);
    }
    let organization = &seen["data"]["organization"];
    assert_eq!(organization["users"].as_array().unwrap().len(), 0, "nothing was asked");
    // Like the root query of that name, it is of clients.
    assert_eq!(organization["all"].as_array().unwrap().len(), 0);
    assert_eq!(organization["found"].as_array().unwrap().len(), 0);
    assert_eq!(organization["paginated_users"]["nodes"][0]["id"], pia_id.to_string().as_str());
    let seen = run(&world, &pia, "{ currentUser { can_insert_suborgs cannot_access_org_member_settings can_see_audit_log_ui } }").await;
    assert_eq!(seen["data"]["currentUser"]["can_insert_suborgs"], false);
    assert_eq!(seen["data"]["currentUser"]["cannot_access_org_member_settings"], true);
    assert_eq!(seen["data"]["currentUser"]["can_see_audit_log_ui"], false);
    // Somebody with an account in each of two places is one human.
    let org_id = world.founded.organization.id.0;
    world
        .system(org_id, move |scope| {
            Box::pin(async move {
                let unit = scope.find_by::<Organization>(Cond::eq("id", org_id)).await.unwrap();
                let (unit, new) = (unit.unwrap(), member("Pia", "pia@example.com"));
                let place = Place::of(OrgRole::Standard);
                practice::add_member(scope, &unit, &new, place).await.unwrap();
            })
        })
        .await;
    let seen =
        run(&world, &pia, "{ currentUser { has_user_switch_options switchable_users_count } }")
            .await;
    assert_eq!(seen["data"]["currentUser"]["has_user_switch_options"], true, "{seen}");
    assert_eq!(seen["data"]["currentUser"]["switchable_users_count"], 1);
}
both!(people_around_a_member_are_told);
