//! Slots of the replay's world, who books one, and the values of operations on them.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::judge::Try;
use crate::world::World;

/// What the operations are about.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    /// A group type with a coming appointment that has seats.
    group_type: String,
}

const TYPE: &str = "mutation($input: createAppointmentTypeInput) { createAppointmentType(input: $input) { appointmentType { id } messages { field message } } }";
const BOOK: &str = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }";

impl Openings {
    /// Makes them.
    pub fn new(world: &World) -> Openings {
        let input = json!({"name": "Replay circle", "length": 60, "is_group": true,
            "clients_can_book": true, "contact_type_overrides": ["video_chat"]});
        let made = world.ask(TYPE, json!({"input": input}), "createAppointmentType");
        let group_type = id(&made["appointmentType"]);
        let input = json!({"appointment_type_id": group_type, "contact_type": "Healthie Video Call",
            "datetime": "2027-06-15T20:00:00Z", "max_attendees": "12"});
        world.ask(BOOK, json!({"input": input}), "createAppointment");
        Openings { group_type }
    }
}

const SLOTS: [&str; 3] = ["availableSlotsForRange", "daysAvailableForRange", "nextAvailableSlot"];

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(world: &World, root: &str, name: &str, attempt: Try) -> Option<Json> {
    if root == "completeCheckout" {
        return sent(world, name);
    }
    if root == "embedWidgetSteps" {
        return Some(match name {
            "is_for_web" => true.into(),
            "locationString" => format!("?dietitian_id={}", world.owner).into(),
            _ => return None,
        });
    }
    if !SLOTS.contains(&root) {
        return None;
    }
    Some(match name {
        "appointment_to_reschedule_id" | "appt_loc_id" | "licensed_in_state" => Json::Null,
        "appt_type_id" if attempt.switch => world.bookings.of.clone().into(),
        "appt_type_id" => world.openings.group_type.clone().into(),
        "clients_can_join_waitlist" | "org_level" => false.into(),
        "contact_type" => "Healthie Video Call".into(),
        "date_from_month" | "start_date" => "2027-06-14".into(),
        "end_date" => "2027-06-19".into(),
        "start_date_boundary" => "2027-06-01".into(),
        "end_date_boundary" => "2027-06-30".into(),
        "make_unique" => true.into(),
        "provider_id" => world.owner.clone().into(),
        "provider_ids" => json!([world.owner]),
        "tag_ids" => json!([]),
        "timezone" => "America/Denver".into(),
        _ => return None,
    })
}

fn sent(world: &World, name: &str) -> Option<Json> {
    Some(match name {
        "appointment_id" | "appointment_location_id" => Json::Null,
        "appointment_type_id" => world.bookings.of.clone().into(),
        "contact_type" => "Healthie Video Call".into(),
        "date" => next(world),
        // Each time another mailbox: attempts are counted by it.
        "email" => {
            let slot = next(world).to_string();
            let word: String = slot.chars().filter(char::is_ascii_digit).collect();
            format!("wanda{word}@visitor.example").into()
        }
        "first_name" => "Wanda".into(),
        "is_joining_waitlist" => false.into(),
        "last_name" => "Visitor".into(),
        "legal_name" => "Wanda Visitor".into(),
        "location" => "By video".into(),
        "phone_number" => "+1 202-555-0190".into(),
        "provider_id" => world.owner.clone().into(),
        "reason" => "Sleeps badly".into(),
        "timezone" => "America/Denver".into(),
        _ => return None,
    })
}

/// A slot that a booking page would send.
fn next(world: &World) -> Json {
    let query = "query($provider: String, $of: String) { \
        nextAvailableSlot(provider_id: $provider, appt_type_id: $of) }";
    let variables = json!({"provider": world.owner, "of": world.bookings.of});
    let reply =
        world.server.api().post("/graphql", &json!({"query": query, "variables": variables}));
    reply.data()["nextAvailableSlot"].clone()
}

/// What a booking did, read back; nothing for other operations.
pub fn read_back(
    world: &World,
    root: &str,
    variables: &Json,
    answer: &Json,
) -> Option<Result<(), String>> {
    if root != "completeCheckout" {
        return None;
    }
    const READ: &str = "query($id: ID) { appointment(id: $id) { date user { first_name } } }";
    let read = world.ask(READ, json!({"id": id(&answer["appointment"])}), "appointment");
    let instant = |text: &Json| {
        let text = text.as_str().unwrap_or_default().replacen(' ', "T", 1).replace(' ', "");
        text.chars().take(13).collect::<String>()
    };
    let was = variables.get("date").or_else(|| variables["input"].get("date"));
    let same = was.is_some_and(|was| instant(was) == instant(&read["date"]));
    Some(match same && read["user"]["first_name"] == "Wanda" {
        true => Ok(()),
        false => Err(format!("not as sent: {read} {variables}")),
    })
}
