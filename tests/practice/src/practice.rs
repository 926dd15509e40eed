//! A practice with an owner and a member, and another practice beside it.

use std::ops::{Deref, DerefMut};

use serde_json::json;
use ward_engine::Permission;
use ward_identity::practice::{self, Place};
use ward_identity::tables::{OrgRole, Organization, User};
use ward_store::{Actor, Cond, Flags, Id, Record, Scope, StoreError};

use crate::Premises;
use crate::premises::member;

/// A practice and the premises that it has to itself.
pub struct Practice {
    premises: Premises,
    /// The practice.
    pub organization: Organization,
    /// Its owner.
    pub owner: Actor,
    /// A Standard member with the default flags.
    pub standard: Actor,
    /// The owner of another practice.
    pub stranger: Actor,
}

impl Deref for Practice {
    type Target = Premises;

    fn deref(&self) -> &Premises {
        &self.premises
    }
}

impl DerefMut for Practice {
    fn deref_mut(&mut self) -> &mut Premises {
        &mut self.premises
    }
}

impl Practice {
    /// Founds it where nobody is yet.
    pub async fn of(premises: Premises) -> Practice {
        let (organization, owner) = premises.found("Testwell Practice", "owner@example.com").await;
        let (_, stranger) = premises.found("Elsewhere", "stranger@example.com").await;
        let standard = join(&premises, &organization, "Stan", OrgRole::Standard).await;
        Practice { premises, organization, owner, standard, stranger }
    }

    /// One more member, of the role's default flags.
    pub async fn join(&self, first: &'static str, role: OrgRole) -> Actor {
        join(&self.premises, &self.organization, first, role).await
    }

    /// A new client of the owner; the id.
    pub async fn client(&self, first: &str, email: &str) -> String {
        let input = json!({ "first_name": first, "last_name": "Client", "email": email });
        let payload = self.mutate(&self.owner, "createClient", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["user"]["id"].as_str().unwrap().to_owned()
    }

    /// A client as the actor of a request.
    pub async fn as_client(&self, id: &str) -> Actor {
        self.actor(self.organization.id.0, id.parse().unwrap()).await
    }

    /// The actor with these flags and no other.
    pub fn with(&self, actor: &Actor, permissions: &[Permission]) -> Actor {
        let none = Flags::default();
        let held = permissions.iter().fold(none, |held, permission| held.with(permission.flag));
        Actor { flags: held, is_owner: false, ..actor.clone() }
    }

    /// A sub-organization with its owner.
    pub async fn branch(&self) -> Actor {
        self.branch_of("Brenda", "brenda@example.com").await
    }

    /// A sub-organization with an owner of this name and address.
    pub async fn branch_of(&self, first: &'static str, email: &'static str) -> Actor {
        let (org, root) = (self.organization.id.0, self.organization.id);
        let made = self.db.write(move |tx| {
            Box::pin(async move {
                let id = Id::<Organization>::new(tx.next_id_of("Organization").await?);
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let now = scope.now();
                let unit = practice::blank_organization(id, root, "Branch", "b@example.com", now);
                scope.create(&unit).await?;
                let head = member(first, email);
                let (user, _) =
                    practice::add_member(&mut scope, &unit, &head, Place::owner()).await?;
                let owned = Organization { owner_id: Some(user.id), ..unit.clone() };
                scope.update(&unit, &owned).await?;
                Ok(user.id.0)
            })
        });
        let user = made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        self.actor(org, user).await
    }

    /// The practice's rows of a table.
    pub async fn rows<R: Record>(&self, cond: Cond) -> Vec<R> {
        let org = self.organization.id.0;
        let rows = self.db.write(move |tx| {
            let cond = cond.clone();
            Box::pin(async move {
                let actor = Actor::system(org);
                Scope::new(tx, &actor).list::<R>(cond, &[]).await
            })
        });
        rows.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    }
}

async fn join(
    premises: &Premises,
    unit: &Organization,
    first: &'static str,
    role: OrgRole,
) -> Actor {
    let (unit, org) = (unit.clone(), unit.id.0);
    let joined = premises.db.write(move |tx| {
        let unit = unit.clone();
        Box::pin(async move {
            let system = Actor::system(org);
            let mut scope = Scope::new(tx, &system);
            let email = format!("{}@example.com", first.to_lowercase());
            let member = member(first, &email);
            let added = practice::add_member(&mut scope, &unit, &member, Place::of(role)).await;
            added.map(|(user, _)| user)
        })
    });
    let user: User = joined.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    premises.actor(org, user.id.0).await
}
