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

/// Writes what follows from having answered root fields; what they refuse they have told.
pub(crate) async fn write(
    fields: &[Field],
    schema: &Schema,
    variables: &Variables,
    request: &Arc<Request>,
) -> Result<(), StoreError> {
    for field in fields {
        let Action::Bound(bound) = &field.action else { continue };
        let Some(after) = bound.after.filter(|_| values::included(field, variables)) else {
            continue;
        };
        let Ok(args) = values::arguments(field, schema, variables) else { continue };
        if let Err(Refused::Store(error)) = after(request.clone(), args).await {
            return Err(error);
        }
    }
    Ok(())
}
