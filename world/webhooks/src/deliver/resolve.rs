//! From a name to the address that is connected to: looked up once, every answer checked, and the
//! checked one used, so that a name which answers differently the next time gains nothing.

use std::io;
use std::net::SocketAddr;

use futures_util::future::BoxFuture;

use crate::address::Address;
use crate::deliver::failure::Failure;
use crate::guard::{self, Openings};

/// Looks names up.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The machine's resolver.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Resolve for System {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// The addresses that a request may go to; refused when one of the name's is none of them.
pub async fn allowed(
    resolver: &dyn Resolve,
    address: &Address,
    openings: Openings,
) -> Result<Vec<SocketAddr>, Failure> {
    let found = match address.literal {
        Some(literal) => vec![SocketAddr::new(literal, address.port)],
        None => {
            let found = resolver.resolve(&address.host, address.port).await;
            found.map_err(|_| Failure::unreachable("The name can't be looked up"))?
        }
    };
    if found.is_empty() {
        return Err(Failure::unreachable("The name has no address"));
    }
    match found.iter().all(|at| guard::allows(at.ip(), openings)) {
        true => Ok(found),
        false => Err(Failure::forbidden()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::tables::Outcome;

    /// Answers each question with the next of its lists.
    struct Answers(Vec<Vec<&'static str>>, AtomicUsize);

    impl Resolve for Answers {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
            port: u16,
        ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
            let turn = self.1.fetch_add(1, Ordering::SeqCst);
            let list = self.0[turn.min(self.0.len() - 1)].iter();
            let list = list.map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect();
            Box::pin(async move { Ok(list) })
        }
    }

    fn answers(lists: &[&[&'static str]]) -> Answers {
        Answers(lists.iter().map(|list| list.to_vec()).collect(), AtomicUsize::new(0))
    }

    const CLOSED: Openings = Openings { loopback: false, private: false };

    #[tokio::test]
    async fn iso_43_a_name_that_turns_private_is_refused() {
        let address = Address::checked("https://hooks.example.com/", CLOSED, None).unwrap();
        let names = answers(&[&["93.184.216.34"], &["169.254.169.254"]]);
        let first = allowed(&names, &address, CLOSED).await.unwrap();
        assert_eq!(first[0].ip(), "93.184.216.34".parse::<IpAddr>().unwrap());
        // Looked up once a connection: what was checked is what is connected to.
        assert_eq!(names.1.load(Ordering::SeqCst), 1);
        let second = allowed(&names, &address, CLOSED).await.unwrap_err();
        assert_eq!(second.outcome, Outcome::Forbidden);
    }

    #[tokio::test]
    async fn one_bad_answer_among_good_ones_is_enough() {
        let address = Address::checked("https://hooks.example.com/", CLOSED, None).unwrap();
        for bad in ["10.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "fe80::1"] {
            let names = answers(&[&["93.184.216.34", bad]]);
            let refused = allowed(&names, &address, CLOSED).await.unwrap_err();
            assert_eq!(refused.outcome, Outcome::Forbidden, "{bad}");
        }
        let nobody = answers(&[&[]]);
        let refused = allowed(&nobody, &address, CLOSED).await.unwrap_err();
        assert_eq!(refused.outcome, Outcome::Unreachable);
    }
}
