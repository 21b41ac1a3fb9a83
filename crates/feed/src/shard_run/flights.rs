//! What lanes have sent, and what came back of it.

use crate::target::{BoxFuture, Delivery};
use std::future::poll_fn;
use std::task::{Context, Poll};

pub(super) type Flight = BoxFuture<'static, Landed>;
pub(super) type Departure = BoxFuture<'static, Option<Delivery>>;

/// What came back of what was sent.
pub(super) enum Landed {
    Delivered(Delivery),
    Buried(Result<(), String>),
}

/// The first delivery that comes back.
pub(super) async fn settled(flights: &mut [Option<Flight>]) -> (usize, Landed) {
    poll_fn(|context| match landed(flights, context) {
        Some(landed) => Poll::Ready(landed),
        None => Poll::Pending,
    })
    .await
}

/// Sees that what is to be sent is under way: reading and encoding more takes longer than handing it over.
pub(super) async fn launched(flights: &mut [Option<Flight>]) -> Option<(usize, Landed)> {
    let back = poll_fn(|context| Poll::Ready(landed(flights, context))).await;
    if back.is_none() && flights.iter().any(Option::is_some) {
        // Whom it woke goes first.
        tokio::task::yield_now().await;
    }
    back
}

fn landed(flights: &mut [Option<Flight>], context: &mut Context<'_>) -> Option<(usize, Landed)> {
    for (lane, slot) in flights.iter_mut().enumerate() {
        if let Some(flight) = slot
            && let Poll::Ready(landed) = flight.as_mut().poll(context)
        {
            *slot = None;
            return Some((lane, landed));
        }
    }
    None
}
