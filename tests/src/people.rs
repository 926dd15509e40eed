//! What tests put into an instance, by the API.

use serde_json::{Value as Json, json};

use crate::api::{Api, Reply};
use crate::charts;

/// Makes a client; `$client` is the input.
pub const CREATE_CLIENT: &str = "mutation($client: createClientInput) {
  createClient(input: $client) { user { id first_name } messages { field message } }
}";

/// The smallest client that a caller who is a provider can make; no mail is sent.
pub fn new_client(name: &str) -> Json {
    json!({"client": {
        "first_name": name,
        "last_name": "Tester",
        "email": format!("{name}@client.example"),
        "dont_send_welcome": true,
    }})
}

/// Makes a client; its id.
#[track_caller]
pub fn client(api: &Api, name: &str) -> String {
    let reply = api.ask(CREATE_CLIENT, new_client(name));
    id(&reply.data()["createClient"]["user"])
}

/// Makes a client who is sent a welcome mail; its id.
#[track_caller]
pub fn welcomed_client(api: &Api, name: &str) -> String {
    let mut input = new_client(name);
    input["client"]["dont_send_welcome"] = false.into();
    let reply = api.ask(CREATE_CLIENT, input);
    id(&reply.data()["createClient"]["user"])
}

/// Who the caller is.
#[track_caller]
pub fn current_user(api: &Api) -> String {
    id(&api.ask("{ currentUser { id } }", json!({})).data()["currentUser"])
}

/// The ids of all clients that the caller sees.
#[track_caller]
pub fn client_ids(api: &Api) -> Vec<String> {
    let query = "{ users(first: 1000, show_all_by_default: true) { nodes { id } } }";
    let reply = api.ask(query, json!({}));
    let nodes = reply.data()["users"]["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().map(id).collect()
}

/// What [`furnish`] has made: ids.
#[derive(Clone, Debug, Default)]
pub struct Furniture {
    /// Of three clients.
    pub clients: Vec<String>,
    /// Of their group.
    pub group: String,
    /// Of the first one's tag.
    pub tag: String,
    /// Of the first one's address.
    pub location: String,
}

/// Makes one of everything that the API can make, as the owner and with a provider as colleague.
#[track_caller]
pub fn furnish(api: &Api, opener: &Api, canary: &str) -> Furniture {
    let furniture = furnish_inside(api, opener, canary);
    webhook_to_nowhere(api, canary);
    furniture
}

/// A webhook, a test and a validation of it, and what happened so far once more. Its receiver does not exist: no more than a look-up of its name
/// leaves the machine.
fn webhook_to_nowhere(api: &Api, canary: &str) {
    let webhook = api.ask(
        "mutation($url: String) { createWebhook(input: {url: $url, should_retry: false,
            webhook_events: [{event_type: TEST_CREATED}, {event_type: LOCATION_CREATED}]}) { webhook { id } messages { field message } } }",
        json!({"url": format!("https://{canary}.invalid/hook")}),
    );
    let webhook = id(&webhook.data()["createWebhook"]["webhook"]);
    let sent = api.ask(
        "mutation($id: ID!) { sendTestWebhook(input: {id: $id}) { sent messages { field message } } }",
        json!({"id": webhook}),
    );
    sent.data();
    let validated = api.ask(
        "mutation($id: ID!) { validateWebhook(input: {id: $id}) { webhook { validation { state } } messages { field message } } }",
        json!({"id": webhook}),
    );
    let state = &validated.data()["validateWebhook"]["webhook"]["validation"]["state"];
    assert_eq!(state, "RUNNING", "{}", validated.text);
    let again = api.ask(
        "mutation($id: ID!) { replayWebhookEvents(input: {id: $id, occurred_after: \"2020-01-01T00:00:00Z\"}) {
            replay_id messages { field message } } }",
        json!({"id": webhook}),
    );
    assert!(again.data()["replayWebhookEvents"]["replay_id"].is_string(), "{}", again.text);
}

/// The same but for what calls others: webhooks.
#[track_caller]
pub fn furnish_inside(api: &Api, opener: &Api, canary: &str) -> Furniture {
    let colleague = current_user(opener);
    let made = |reply: Reply, field: &str, object: &str| id(&reply.data()[field][object]);
    let group = api.ask(
        "mutation($name: String) { createGroup(input: {name: $name}) { user_group { id } messages { field message } } }",
        json!({"name": format!("{canary} group")}),
    );
    let group = made(group, "createGroup", "user_group");
    let mut clients = Vec::new();
    for number in 1..=3 {
        let mut input = new_client(&format!("{canary}{number}"));
        input["client"]["user_group_id"] = group.as_str().into();
        input["client"]["dont_send_welcome"] = (number != 1).into();
        input["client"]["metadata"] = format!("{{\"note\":\"{canary}-metadata\"}}").into();
        input["client"]["other_provider_ids"] = json!([colleague]);
        clients.push(made(api.ask(CREATE_CLIENT, input), "createClient", "user"));
    }
    let tag = api.ask(
        "mutation($name: String) { createTag(input: {name: $name}) { tag { id } messages { field message } } }",
        json!({"name": format!("{canary} tag")}),
    );
    let tag = made(tag, "createTag", "tag");
    let feed =
        "mutation { resetCalendarFeed(input: {}) { user { id } messages { field message } } }";
    made(api.ask(feed, json!({})), "resetCalendarFeed", "user");
    let applied = api.ask(
        "mutation($ids: [ID]!, $user: ID!) { bulkApply(input: {ids: $ids, taggable_user_id: $user}) { tags { id } messages { field message } } }",
        json!({"ids": [tag], "user": clients[0]}),
    );
    applied.data();
    let located = api.ask(
        "mutation($input: createLocationInput) { createLocation(input: $input) { location { id } messages { field message } } }",
        json!({"input": {"user_id": clients[0], "name": "Home", "line1": format!("{canary}-street 1"), "city": "Town", "state": "NY", "zip": "10001"}}),
    );
    let location = made(located, "createLocation", "location");
    let physician = api.ask(
        "mutation($input: createReferringPhysicianInput) { createReferringPhysician(input: $input) { referring_physician { id } messages { field message } } }",
        json!({"input": {"first_name": canary, "referrals": [{"user_id": clients[0], "referral_reason": format!("{canary} reason")}]}}),
    );
    physician.data();
    let contact = api.ask(
        "mutation($input: createContactInput) { createContact(input: $input) { visitor { id } messages { field message } } }",
        json!({"input": {"first_name": canary, "email": format!("{canary}@contact.example"), "about_me": format!("{canary} words")}}),
    );
    contact.data();
    let talk = api.ask(
        "mutation($input: createConversationInput) { createConversation(input: $input) { conversation { id } messages { field message } } }",
        json!({"input": {"simple_added_users": format!("group-{group}"), "name": canary,
            "metadata": {"note": canary}, "note": {"content": format!("{canary} message")}}}),
    );
    talk.data();
    let blast = api.ask(
        "mutation($input: createMessageBlastInput) { createMessageBlast(input: $input) { messages { field message } } }",
        json!({"input": {"simple_added_users": clients[0], "note": {"content": format!("{canary} news")}}}),
    );
    blast.data();
    let away = api.ask(
        "mutation($input: createChatSettingInput) { createChatSetting(input: $input) { chatSetting { id } messages { field message } } }",
        json!({"input": {"content": format!("{canary} is away")}}),
    );
    away.data();
    let born = "mutation($id: ID) { updateClient(input: {id: $id, dob: \"1990-02-01\"}) { user { id } messages { field message } } }";
    api.ask(born, json!({"id": clients[0]})).data();
    let kin = api.ask(
        "mutation($input: createNotificationContactInput) { createNotificationContact(input: $input) { notificationContact { id } messages { field message } } }",
        json!({"input": {"user_id": clients[0], "first_name": canary, "email": format!("{canary}@kin.example"),
            "linked_client_id": clients[1], "client_portal_access": true}}),
    );
    kin.data();
    let told = api.ask(
        "mutation($input: updateNotificationSettingInput) { updateNotificationSetting(input: $input) { messages { field message } } }",
        json!({"input": {"quiet_hours_start": "22:00"}}),
    );
    told.data();
    device(api, canary);
    let brand = api.ask(
        "mutation($input: createBrandInput) { createBrand(input: $input) { brand { id } messages { field message } } }",
        json!({"input": {"brand_name": format!("{canary} brand")}}),
    );
    brand.data();
    let shown = api.ask(
        "mutation($input: updateOrganizationMemberInput) { updateOrganizationMember(input: $input) { user { id } messages { field message } } }",
        json!({"input": {"state_licenses": [{"state": "NY"}], "provider_bio": {"bio": format!("{canary} bio")},
            "other_id_numbers": [{"other_id": canary, "other_id_qualifier": "G2"}]}}),
    );
    shown.data();
    let place = api.ask("{ organizationMembership { id } }", json!({}));
    let words = api.ask(
        "mutation($input: updateOrganizationMembershipInput) { updateOrganizationMembership(input: $input) { organizationMembership { id } messages { field message } } }",
        json!({"input": {"id": id(&place.data()["organizationMembership"]),
            "professions": [{"profession": "Dietitian", "profession_category": "Nutrition"}],
            "specialties": [{"specialty": "Diabetes", "specialty_category": "Nutrition"}]}}),
    );
    words.data();
    for factor in ["TOTP", "EMAIL"] {
        // Where no mail is sent, codes by mail are refused.
        let begin = "mutation($of: MfaType) { enrollMfa(input: {mfa_type: $of}) { mfa_type messages { message } } }";
        api.ask(begin, json!({"of": factor}));
    }
    let key = api.ask(
        "mutation($user: ID) { createApiKey(input: {user_id: $user}) { api_key_object { id } messages { field message } } }",
        json!({"user": current_user(api)}),
    );
    let revoked = api.ask(
        "mutation($id: ID) { deleteApiKey(input: {id: $id}) { messages { field message } } }",
        json!({"id": made(key, "createApiKey", "api_key_object")}),
    );
    revoked.data();
    let authorized = api.ask(
        "mutation($client: ID!, $provider: ID!, $reason: String!) { createClientRestrictionAuthorization(input: {client_id: $client, provider_id: $provider, reason: $reason}) { messages { field message } } }",
        json!({"client": clients[0], "provider": colleague, "reason": format!("{canary}-reason")}),
    );
    authorized.data();
    let toggled = api.ask(
        "mutation($client: ID!) { createFeatureToggle(input: {user_id: $client, show_food: false}) { messages { field message } } }",
        json!({"client": clients[0]}),
    );
    toggled.data();
    let closed = client(api, &format!("{canary}closed"));
    let restricted = api.ask(
        "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { field message } } }",
        json!({"id": closed}),
    );
    restricted.data();
    let opened = opener.ask(
        "mutation($client: ID!, $reason: String!) { createBreakGlassAccess(input: {client_id: $client, reason: $reason}) { messages { field message } } }",
        json!({"client": closed, "reason": format!("{canary}-emergency")}),
    );
    opened.data();
    // A set of clients in the access log, at once since one of them is restricted.
    client_ids(api);
    let template = api.ask(
        "mutation($name: String) { createPermissionTemplate(input: {name: $name}) { newPermissionTemplate { id } messages { field message } } }",
        json!({"name": format!("{canary} template")}),
    );
    template.data();
    crate::templates::furnish_forms(api, (&clients[0], &group), canary);
    furnish_calendar(api, &colleague, &clients[0], &group, canary);
    furnish_documents(api, &clients[0], canary);
    charts::furnish(api, &clients[0], canary);
    Furniture { clients, group, tag, location }
}

/// A folder of a client's with a document, both shared with them; the document is opened.
fn furnish_documents(api: &Api, client: &str, canary: &str) {
    let folder = api.ask(
        "mutation($input: createFolderInput) { createFolder(input: $input) { folder { id } messages { field message } } }",
        json!({"input": {"name": format!("{canary} folder"), "rel_user_id": client, "share_with_rel": true}}),
    );
    let folder = id(&folder.data()["createFolder"]["folder"]);
    // "Hi" and a line's end.
    let document = api.ask(
        "mutation($input: createDocumentInput) { createDocument(input: $input) { document { id expiring_url } messages { field message } } }",
        json!({"input": {"display_name": format!("{canary} document"), "folder_id": folder, "rel_user_id": client,
            "share_with_rel": true, "include_in_charting": true, "metadata": format!("{{\"note\":\"{canary}\"}}"),
            "file_string": "data:text/plain;base64,SGkK"}}),
    );
    let link = &document.data()["createDocument"]["document"]["expiring_url"];
    let link = link.as_str().unwrap();
    let read = api.get(&link[link.find("/files/").unwrap()..]);
    assert_eq!(read.status, 200, "{}", read.text);
}

/// What can be booked, what it costs a client, and when.
fn furnish_calendar(api: &Api, colleague: &str, client: &str, group: &str, canary: &str) {
    let of = api.ask(
        "mutation($input: createAppointmentTypeInput) { createAppointmentType(input: $input) { appointmentType { id } messages { field message } } }",
        json!({"input": {"name": format!("{canary} visit"), "length": 30, "bookable_group_ids": group,
            "provider_ids_for_appt_type_connections": colleague, "appointment_setting": {"buffer": "5"}}}),
    );
    let of = id(&of.data()["createAppointmentType"]["appointmentType"]);
    let priced = api.ask(
        "mutation($input: updateUserAppointmentPricingInput) { updateUserAppointmentPricing(input: $input) { messages { field message } } }",
        json!({"input": {"user_id": client, "advance_appointment_prices": [{"appointment_type_id": of, "price": "80"}]}}),
    );
    priced.data();
    let paid = api.ask(
        "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { field message } } }",
        json!({"input": {"id": client, "appointment_type_credits_attributes": [{"appointment_type_id": of, "quantity": "5"}]}}),
    );
    paid.data();
    let free = api.ask(
        "mutation($input: CreateAvailabilityWithAppointmentTypesInput!) { createAvailabilityWithAppointmentTypes(input: $input) { messages { field message } } }",
        json!({"input": {"appointment_type_ids": [of], "start_datetime": "2027-06-01T09:00:00Z",
            "end_datetime": "2027-06-01T10:00:00Z"}}),
    );
    free.data();
    let set = api.ask(
        "mutation($input: createAppointmentSettingInput!) { createAppointmentSetting(input: $input) { appointmentSetting { appointment_locations { rooms { id } } } messages { field message } } }",
        json!({"input": {"start_time": "08:00", "end_time": "18:00", "enable_appointment_requests": true, "appointment_locations": [{"location": format!("{canary} office"),
            "rooms": [{"name": format!("{canary} room"), "limit_to_one": true}]}]}}),
    );
    let rooms = &set.data()["createAppointmentSetting"]["appointmentSetting"];
    let room = id(&rooms["appointment_locations"][0]["rooms"][0]);
    let booked = api.ask(
        "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }",
        json!({"input": {"user_id": client, "appointment_type_id": of, "providers": colleague,
            "contact_type": "Phone Call", "datetime": "2027-06-07T09:00:00Z", "room_id": room,
            "recurring_appointment": {"repeat_interval": "Weekly", "repeat_times": "2"},
            "notes": format!("{canary} notes")}}),
    );
    booked.data();
    furnish_line(api, client, canary);
}

/// A full class with a visitor who waits for a seat, and what another visitor asks for.
fn furnish_line(api: &Api, client: &str, canary: &str) {
    let of = api.ask(
        "mutation($input: createAppointmentTypeInput) { createAppointmentType(input: $input) { appointmentType { id } messages { field message } } }",
        json!({"input": {"name": format!("{canary} class"), "length": 30, "is_group": true,
            "clients_can_book": true, "is_waitlist_enabled": true}}),
    );
    let of = id(&of.data()["createAppointmentType"]["appointmentType"]);
    let class = api.ask(
        "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }",
        json!({"input": {"attendee_ids": [client], "appointment_type_id": of, "max_attendees": "1",
            "contact_type": "Phone Call", "datetime": "2027-06-10T09:00:00Z"}}),
    );
    let class = id(&class.data()["createAppointment"]["appointment"]);
    crate::templates::furnish_group_note(api, (client, &class), canary);
    let person = json!({"first_name": canary, "last_name": "Late", "email": format!("{canary}@late.example")});
    let mut late = person.clone();
    late["appointment_id"] = class.into();
    late["is_joining_waitlist"] = true.into();
    let waits = api.nobody().ask(
        "mutation($input: completeCheckoutInput) { completeCheckout(input: $input) { messages { field message } } }",
        json!({"input": late}),
    );
    assert!(waits.data()["completeCheckout"]["messages"].is_null(), "{}", waits.text);
    let mut asks = person;
    asks["timezone"] = "America/New_York".into();
    asks["reason"] = format!("{canary} reason").into();
    asks["appointment_type_id"] = of.into();
    asks["slots"] =
        json!([{"slot_start": "2027-06-11T09:00:00Z", "slot_end": "2027-06-11T10:00:00Z"}]);
    let asked = api.nobody().ask(
        "mutation($input: createAppointmentRequestInput) { createAppointmentRequest(input: $input) { messages { field message } } }",
        json!({"input": asks}),
    );
    assert!(asked.data()["createAppointmentRequest"]["messages"].is_null(), "{}", asked.text);
}

/// Registers an app of the caller's; what ends all of their sessions forgets it.
#[track_caller]
pub fn device(api: &Api, canary: &str) {
    let app = api.ask(
        "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }",
        json!({"input": {"uniq_push_id": format!("{canary}-app")}}),
    );
    app.data();
}

/// Gives the caller a picture; the link to it.
#[track_caller]
pub fn avatar(api: &Api) -> String {
    picture(api, json!({}))
}

/// Gives a user whom the caller may change a picture; the link to it.
#[track_caller]
pub fn picture_of(api: &Api, user: &str) -> String {
    picture(api, json!({"id": user}))
}

#[track_caller]
fn picture(api: &Api, mut input: Json) -> String {
    const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    input["avatar_string"] = PIXEL.into();
    let reply = api.ask(
        "mutation($input: updateUserInput) { updateUser(input: $input) { user { id avatar_url } messages { field message } } }",
        json!({"input": input}),
    );
    let link = reply.data()["updateUser"]["user"]["avatar_url"].as_str();
    link.unwrap_or_else(|| panic!("no picture: {}", reply.text)).to_owned()
}

/// Sets a password by a one-time link, on the page that the link opens.
#[track_caller]
pub fn set_password(api: &Api, link: &str, password: &str) {
    let token = token_in(link);
    let body = format!("token={token}&password={password}&repeated={password}");
    let reply = api.post_as("/set-password", "application/x-www-form-urlencoded", body);
    assert_eq!(reply.status, 200, "the password was not set: {}", reply.text);
}

/// The token of a one-time link.
pub fn token_in(link: &str) -> String {
    let (_, rest) = link.split_once("token=").expect("a link with a token");
    rest.split('&').next().unwrap_or(rest).to_owned()
}

/// Asks for a new password: a mail to a member.
#[track_caller]
pub fn forget_password(api: &Api, email: &str) {
    let query = "mutation($email: String) {
      resetPassword(input: {email: $email}) { messages { field message } }
    }";
    api.ask(query, json!({"email": email})).data();
}

/// Signs in; the answer's payload.
pub fn sign_in(api: &Api, input: Json) -> Reply {
    let query = "mutation($input: signInInput) {
      signIn(input: $input) { token api_key user { id } messages { field message } }
    }";
    api.ask(query, json!({"input": input}))
}

/// The id of an object in an answer.
#[track_caller]
pub fn id(object: &Json) -> String {
    let text = object["id"].as_str().map(str::to_owned);
    let number = || object["id"].as_i64().map(|number| number.to_string());
    text.or_else(number).unwrap_or_else(|| panic!("no id in {object}"))
}
