//! What makes a world of its own of a copy.

use ward_instance::{Certificate, SandboxWitness};
use ward_store::{Db, Query, StoreError, Tx};

/// The copy as a world of its own, with clock and faults of the moment.
pub(super) async fn set_apart(
    db: &Db,
    witness: &SandboxWitness,
    certificate: Certificate,
) -> Result<Certificate, StoreError> {
    let certificate = apart(db, certificate).await?;
    ward_store::test_clock::load(db, witness).await?;
    ward_store::faults::load(db, witness).await?;
    Ok(certificate)
}

/// Writes where the copy is reached; from here on it is another world, which sends nothing that
/// the Sandbox sends.
async fn apart(db: &Db, certificate: Certificate) -> Result<Certificate, StoreError> {
    let written = certificate.clone();
    db.write(move |tx: &mut Tx| {
        let written = written.clone();
        Box::pin(async move {
            ward_store::write_certificate(tx, &written).await?;
            let now = tx.now().0;
            for sql in ward_webhooks::rewind::apart(now) {
                tx.execute(&sql).await?;
            }
            Ok::<_, StoreError>(())
        })
    })
    .await?;
    Ok(certificate)
}
