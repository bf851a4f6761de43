//! Connections that have not proved anything yet: few, and for a short time. Pure but for the tokens.
//!
//! Whoever comes gets in; when there is no room, the one that has stood there for longest goes. A replica proves itself in
//! milliseconds, so one that comes while others stand idle is not held up by them, however many they are. Who comes from
//! one address displaces those of that address only.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// Most at once.
const ALL: usize = 256;
/// Of these, from one address: a node may stand for all replicas behind it.
const FROM_ONE: usize = 64;

/// The threshold of one listener.
#[derive(Debug, Default)]
pub(super) struct Threshold(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// The oldest first.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    from: IpAddr,
    displaced: CancellationToken,
}

/// A place on the threshold. Dropping it leaves it.
#[derive(Debug)]
pub(super) struct Guest {
    threshold: Arc<Threshold>,
    number: u64,
    /// Cancelled when another takes the place.
    pub(super) displaced: CancellationToken,
}

impl Threshold {
    /// Somebody has come.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Guest {
        let from = network(from);
        let mut state = self.lock();
        state.make_room(from);
        let (number, displaced) = (state.next, CancellationToken::new());
        state.next += 1;
        state.waiting.push_back(Waiting { number, from, displaced: displaced.clone() });
        drop(state);
        Guest { threshold: self.clone(), number, displaced }
    }

    /// The state is whole at each unlock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn make_room(&mut self, from: IpAddr) {
        let from_there = |waiting: &Waiting| waiting.from == from;
        let oldest = if self.waiting.iter().filter(|waiting| from_there(waiting)).count() >= FROM_ONE {
            self.waiting.iter().position(from_there)
        } else {
            (self.waiting.len() >= ALL).then_some(0)
        };
        if let Some(gone) = oldest.and_then(|oldest| self.waiting.remove(oldest)) {
            gone.displaced.cancel();
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.threshold.lock();
        // Numbers stand in order.
        if let Ok(at) = state.waiting.binary_search_by_key(&self.number, |waiting| waiting.number) {
            state.waiting.remove(at);
        }
    }
}

/// Whoever has one address of IPv6 has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: usize) -> IpAddr {
        IpAddr::from([10, 0, 0, u8::try_from(last).unwrap()])
    }

    fn displaced(guests: &[Guest]) -> Vec<usize> {
        (0..guests.len()).filter(|at| guests[*at].displaced.is_cancelled()).collect()
    }

    #[test]
    fn one_address_displaces_its_own_oldest_and_nobody_elses() {
        let threshold = Arc::new(Threshold::default());
        let other = threshold.enter(address(2));
        let mut flood: Vec<Guest> = (0..FROM_ONE).map(|_| threshold.enter(address(1))).collect();
        assert_eq!(displaced(&flood), [0; 0]);
        flood.extend((0..2).map(|_| threshold.enter(address(1))));
        assert_eq!(displaced(&flood), [0, 1]);
        assert!(!other.displaced.is_cancelled());
        // Who leaves makes room.
        drop(flood.split_off(FROM_ONE));
        flood.push(threshold.enter(address(1)));
        assert_eq!(displaced(&flood), [0, 1]);
    }

    #[test]
    fn many_addresses_displace_the_oldest_of_all() {
        let threshold = Arc::new(Threshold::default());
        let guests: Vec<Guest> = (0..ALL + 3).map(|at| threshold.enter(address(at % 100))).collect();
        assert_eq!(displaced(&guests), [0, 1, 2]);
        assert_eq!(threshold.lock().waiting.len(), ALL);
        drop(guests);
        assert!(threshold.lock().waiting.is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("::ffff:10.0.0.2"), of("10.0.0.1"));
    }
}
