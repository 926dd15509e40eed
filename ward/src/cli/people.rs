//! `ward key …` and `ward user …`: who may get in.

use clap::{Args, Subcommand};

use super::Here;

/// `ward key …`
#[derive(Subcommand, Clone, Debug)]
pub enum KeyCommand {
    /// Make a key; it is shown this once
    Create {
        /// The instance
        #[command(flatten)]
        here: Here,
        /// E-mail or id of the key's user
        #[arg(long, value_name = "EMAIL|ID")]
        user: String,
        /// What the key is for
        #[arg(long, default_value = "made by ward key create")]
        name: String,
        /// When it ends by itself, such as 2027-01-31 or 2027-01-31T09:00:00Z
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// An address or network that it may be used from, such as 203.0.113.0/24; repeatable
        #[arg(long = "allow", value_name = "ADDRESS")]
        allowed_addresses: Vec<String>,
    },
    /// The keys, without their secrets
    List(Here),
    /// Take a new root key, bring everything under it, and drop the old one; goes on when it was cut off
    RotateRoot {
        /// The instance
        #[command(flatten)]
        here: Here,
        /// Drop the old root key although values are damaged that do not open with it either
        #[arg(long)]
        leave_damaged: bool,
        /// With a running server: begin, and do not wait for the end
        #[arg(long)]
        no_wait: bool,
    },
    /// Revoke a key
    Delete {
        /// The instance
        #[command(flatten)]
        here: Here,
        /// The key's id, or its kid (the eight characters that lists show)
        key: String,
    },
}

/// `ward user …`
#[derive(Subcommand, Clone, Debug)]
pub enum UserCommand {
    /// Make a user and print a one-time link to set the password
    Create {
        /// The instance
        #[command(flatten)]
        here: Here,
        /// provider, support or integration
        #[arg(long)]
        role: String,
        /// The user's address
        #[arg(long)]
        email: String,
        /// First name
        #[arg(long)]
        first_name: String,
        /// Last name
        #[arg(long)]
        last_name: String,
    },
    /// The staff
    List(Here),
    /// Stop a user's sign-in and keys
    Disable(UserArgs),
    /// Take a user's second factors away, who has lost them; their sessions end
    ResetMfa(UserArgs),
    /// A one-time link to set a password
    Link(UserArgs),
}

/// One user of an instance.
#[derive(Args, Clone, Debug)]
pub struct UserArgs {
    /// The instance
    #[command(flatten)]
    pub here: Here,
    /// E-mail or id; e-mails may repeat, then give the id
    #[arg(long, value_name = "EMAIL|ID")]
    pub user: String,
}
