//! Shares: what a later domain adds to a mutation that an earlier one binds, such as
//! input fields of its own, so that the earlier one need not know of it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_store::StoreError;

use crate::bindings::{Bindings, Input, Payload};
use crate::bound::{Prepared, Resolve};
use crate::call::Call;
use crate::outcome::Answer;

/// What a mutation and a share in it have prepared.
struct Shared<I> {
    first: Prepared,
    own: I,
}

impl Bindings {
    /// A later domain's share in a mutation that an earlier one has bound: fields of
    /// its input, and what they mean, done in the same transaction after the mutation
    /// itself, whose answer it sees. It may refuse, which undoes all of it. Where
    /// nobody has bound the mutation there is nothing to share.
    pub fn share<I: Input>(
        &mut self,
        field: &'static str,
        run: impl for<'a, 'b> Fn(&'a mut Call<'b>, &'a I, &'a Payload) -> BoxFuture<'a, Answer<()>>
        + Send
        + Sync
        + 'static,
    ) {
        let Some(bound) = self.fields.get_mut(&("Mutation", field)) else { return };
        let Resolve::Mutation(binding) = &mut bound.resolve else { return };
        let (prepare, apply) = (binding.prepare.clone(), binding.apply.clone());
        binding.fields.push(I::input_fields);
        binding.prepare = Arc::new(move |request, value| {
            let prepare = prepare.clone();
            Box::pin(async move {
                let own = I::from_in(&value, "input", request.instance.ids())?;
                let first = prepare(request, value).await?;
                Ok(Arc::new(Shared { first, own }) as Prepared)
            })
        });
        let run = Arc::new(run);
        binding.apply = Arc::new(move |call, prepared| {
            let (apply, run) = (apply.clone(), run.clone());
            Box::pin(async move {
                let Some(shared) = prepared.downcast_ref::<Shared<I>>() else {
                    return Err(
                        StoreError::internal("a share's prepared value has another type").into()
                    );
                };
                let payload = apply(call, shared.first.as_ref()).await?;
                run(call, &shared.own, &payload).await?;
                Ok(payload)
            })
        });
    }
}
