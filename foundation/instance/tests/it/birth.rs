//! The birth certificate and the three-way agreement at start.

use proptest::prelude::*;
use ward_instance::{Certificate, Kind, Random, RootRing, State, Timestamp, Witness, agree};

use crate::{NOW, ring};

fn born(kind: Kind) -> (std::sync::Arc<RootRing>, Certificate) {
    let ring = ring(kind, 1);
    let certificate = Certificate::new(&ring, NOW, "http://127.0.0.1:4100", "v.a");
    (ring, certificate)
}

#[test]
fn agreement_yields_the_witness_of_the_kind() {
    for kind in Kind::ALL {
        let (ring, certificate) = born(kind);
        let witness = agree(kind, &ring, &certificate).unwrap();
        assert_eq!(witness.kind(), kind);
        assert_eq!(witness.sandbox().is_some(), kind == Kind::Sandbox);
        assert_eq!(witness.production().is_some(), kind == Kind::Production);
    }
    assert_eq!(size_of::<ward_instance::SandboxWitness>(), 0);
    assert_eq!(size_of::<ward_instance::ProductionWitness>(), 0);
}

#[test]
fn iso_01_names_all_three_opinions() {
    let (ring, certificate) = born(Kind::Sandbox);
    let refusal = agree(Kind::Production, &ring, &certificate).unwrap_err();
    let tag = ring.tag();
    assert_eq!(
        refusal.to_string(),
        format!(
            "E-ISO-01: database born as Sandbox {tag}, the key file is of Sandbox {tag}, the command \
             line says Production; fix: use --kind sandbox, or name the production directory"
        )
    );
}

#[test]
fn iso_02_a_database_of_elsewhere_says_where_it_was_born() {
    let sandbox = ring(Kind::Sandbox, 2);
    let (live, certificate) = born(Kind::Production);
    for cli in Kind::ALL {
        let refusal = agree(cli, &sandbox, &certificate).unwrap_err();
        let start = format!("E-ISO-02: database born as Production {}", live.tag());
        assert!(refusal.to_string().starts_with(&start), "{refusal}");
        assert!(refusal.to_string().contains(&format!("the command line says {}", cli.title())));
    }
    assert_eq!(certificate.verify(&sandbox).unwrap_err().code, "ISO-02");
}

#[test]
fn iso_06_a_converted_certificate_is_refused() {
    let (ring, mut certificate) = born(Kind::Sandbox);
    certificate.kind = Kind::Production;
    for cli in Kind::ALL {
        assert_eq!(agree(cli, &ring, &certificate).unwrap_err().code, "ISO-06");
    }
    // Signing does not help: the ring is a Sandbox's.
    certificate.sign(&ring);
    assert_eq!(agree(Kind::Production, &ring, &certificate).unwrap_err().code, "ISO-06");
}

#[test]
fn one_root_in_both_environments_agrees_with_neither() {
    let sandbox = crate::vector_ring(Kind::Sandbox);
    let production = crate::vector_ring(Kind::Production);
    let mut certificate = Certificate::new(&sandbox, NOW, "http://localhost:1", "v.a");
    certificate.kind = Kind::Production;
    assert_eq!(certificate.verify(&production).unwrap_err().code, "ISO-06");
}

#[test]
fn every_field_is_under_the_seal() {
    let (ring, certificate) = born(Kind::Sandbox);
    let edits: [fn(&mut Certificate); 10] = [
        |c| c.kind = Kind::Production,
        |c| c.tag = "00000".parse().unwrap(),
        |c| c.born_at = Timestamp(1),
        |c| c.base_url.push('x'),
        |c| c.schema_epoch += 1,
        |c| c.restore_epoch += 1,
        |c| c.id_epoch += 1,
        |c| c.host_binding.push('x'),
        |c| c.state = State::Quarantined,
        |c| c.root_version = 2,
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut changed = certificate.clone();
        edit(&mut changed);
        // A root that the key file never had is another file's.
        let code = if changed.root_version == 2 { "ISO-02" } else { "ISO-06" };
        assert_eq!(changed.verify(&ring).unwrap_err().code, code, "edit {index}");
    }
    let mut quarantined = certificate;
    quarantined.state = State::Quarantined;
    quarantined.sign(&ring);
    assert!(matches!(quarantined.verify(&ring), Ok(Witness::Sandbox(_))));
}

#[test]
fn a_certificate_of_an_old_root_verifies_until_the_root_is_dropped() {
    let (ring, certificate) = born(Kind::Sandbox);
    let mut ring = RootRing::clone(&ring);
    ring.add_root(&Random::seeded(8)).unwrap();
    assert!(certificate.verify(&ring).is_ok());
    ring.drop_root(1);
    let refusal = certificate.verify(&ring).unwrap_err();
    assert_eq!(refusal.code, "ISO-02");
    assert!(refusal.sentence.contains("signed by root key 1"), "{refusal}");
}

/// SEC-22: a copy of the key file from before a rotation is refused as that.
#[test]
fn sec_22_a_copied_old_key_file_is_told_from_a_foreign_one() {
    let (old, mut certificate) = born(Kind::Sandbox);
    let mut ring = RootRing::clone(&old);
    ring.add_root(&Random::seeded(8)).unwrap();
    certificate.sign(&ring);
    assert!(certificate.verify(&ring).is_ok());
    let refusal = certificate.verify(&old).unwrap_err();
    assert_eq!(refusal.code, "ISO-02");
    assert!(refusal.sentence.contains("before the root key was rotated"), "{refusal}");
    assert!(refusal.fix.contains("present root.key"), "{refusal}");
}

proptest! {
    #[test]
    fn no_flipped_bit_of_the_seal_is_accepted(byte in 0..32_usize, bit in 0..8_u32) {
        let (ring, mut certificate) = born(Kind::Production);
        certificate.mac[byte] ^= 1 << bit;
        prop_assert!(certificate.verify(&ring).is_err());
    }

    #[test]
    fn no_flipped_bit_of_the_id_is_accepted(byte in 0..16_usize, bit in 0..8_u32) {
        let (ring, mut certificate) = born(Kind::Production);
        certificate.instance_id.0[byte] ^= 1 << bit;
        prop_assert!(certificate.verify(&ring).is_err());
    }
}
