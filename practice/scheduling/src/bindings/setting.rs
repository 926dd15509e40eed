//! Settings, and the fields that show them.

use ward_engine::Bindings;
use ward_identity::tables::users;

use crate::settings::read;

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.value_object("AppointmentSetting", read::MEMBERS);
    b.value_object("ContactType", &["appointment_setting_id", "id", "name", "show", "user_id"]);
    const NEEDS: &[usize] = &[users::id, users::unit_id, users::is_patient];
    b.batch("User", "appointment_setting", NEEDS, |request, q, rows, _| {
        Box::pin(read::of_rows(request, q, rows))
    })
    .public();
}
