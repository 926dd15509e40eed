//! What answers each field of this domain: one line a field that is not simply
//! a column.

mod audit;
mod brand;
mod human;
mod key;
mod links;
mod live;
mod membership;
mod mfa;
mod organization;
mod permission_use;
mod profile;
mod suborganization;
mod template;
mod user;
mod user_circle;
mod user_flags;

use ward_engine::{Bindings, Returns, op};

use crate::tables::{API_KEYS, USERS};
use crate::{integration, key as keys, reset, rotate, sign_in, sign_up};

pub use audit::AUDIT_LOG;
pub use user::{USER_ORDERS, file_url, members_of_keywords};

static SIGN_IN: &[(&str, Returns)] = &[
    ("token", Returns::Leaf),
    ("api_key", Returns::Leaf),
    ("blocked_by_2fa", Returns::Leaf),
    ("blocked_by_2fa_type", Returns::Leaf),
    ("user", Returns::One(&USERS)),
];
static USER: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];
static SIGN_UP: &[(&str, Returns)] = &[("token", Returns::Leaf), ("user", Returns::One(&USERS))];
static CREATE_KEY: &[(&str, Returns)] =
    &[("api_key", Returns::Leaf), ("api_key_object", Returns::One(&API_KEYS))];
static DELETE_KEY: &[(&str, Returns)] = &[("api_key", Returns::One(&API_KEYS))];

/// Registers everything.
pub fn bind(b: &mut Bindings) {
    b.clients(&USERS);
    organization::bind(b);
    suborganization::bind(b);
    membership::bind(b);
    template::bind(b);
    user::bind(b);
    human::bind(b);
    user_flags::bind(b);
    user_circle::bind(b);
    key::bind(b);
    profile::bind(b);
    permission_use::bind(b);
    brand::bind(b);
    audit::bind(b);
    live::bind(b);
    b.mutation_prepared(
        "signIn",
        SIGN_IN,
        |request, input: sign_in::SignIn| Box::pin(sign_in::prepare(request, input)),
        op!(sign_in::sign_in),
    )
    .public();
    b.mutation_prepared(
        "signUp",
        SIGN_UP,
        |request, input: sign_up::SignUp| Box::pin(sign_up::prepare(request, input)),
        op!(sign_up::sign_up),
    )
    .public();
    b.mutation_prepared(
        "resetPassword",
        &[],
        |request, input: reset::ResetPassword| Box::pin(reset::prepare(request, input)),
        op!(reset::reset_password),
    )
    .public();
    b.mutation("revokeToken", &[], op!(sign_in::revoke_token)).before_code();
    b.mutation("setIntegrationUser", USER, op!(integration::set));
    mfa::bind(b);
    links::bind(b);
    b.mutation("createApiKey", CREATE_KEY, op!(keys::create_api_key));
    b.mutation("rotateApiKey", CREATE_KEY, op!(rotate::rotate_api_key));
    b.mutation("deleteApiKey", DELETE_KEY, op!(keys::delete_api_key));
    b.unserved(include_str!("../unserved.txt"));
}
