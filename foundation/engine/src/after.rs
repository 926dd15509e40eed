//! What is written because something was read: root queries whose bindings say so.
//!
//! Behind the answer's own reading, so that no connection waits for another one.

use std::sync::Arc;

use apollo_compiler::Schema;
use ward_store::StoreError;

use crate::call::Request;
use crate::outcome::Refused;
use crate::plan::{Action, Field};
use crate::values::{self, Variables};

/// So much is written because of one request: each is a transaction of its own.
const MOST: usize = 10;

/// Writes what follows from having answered root fields, the first [`MOST`] of it; what they refuse
/// they have told. Nothing where nothing may be written.
pub(crate) async fn write(
    fields: &[Field],
    schema: &Schema,
    variables: &Variables,
    request: &Arc<Request>,
) -> Result<(), StoreError> {
    if request.read_only {
        return Ok(());
    }
    let mut written = 0;
    for field in fields {
        let Action::Bound(bound) = &field.action else { continue };
        let Some(after) = bound.after.filter(|_| values::included(field, variables)) else {
            continue;
        };
        let Ok(args) = values::arguments(field, schema, variables) else { continue };
        let Some(deed) = after(request.clone(), args) else { continue };
        if written == MOST {
            break;
        }
        written += 1;
        if let Err(Refused::Store(error)) = deed.await {
            return Err(error);
        }
    }
    Ok(())
}
