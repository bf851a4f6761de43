//! The line in front of execution: who runs, who waits, who is refused. Pure: no clock, no lock, no task.

use mcpfleet_config::Admission as Bounds;
use std::collections::VecDeque;

/// A place in the line. Later arrivals have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What happens to a call that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It runs; [`Line::leave`] when it is done.
    Runs,
    /// It must [`Line::wait`].
    Waits,
    /// There is no place for it.
    Refused,
}

/// Calls that run and calls that wait, first come first served. `W` is how a waiting one is told.
#[derive(Debug)]
pub struct Line<W> {
    concurrency: u32,
    queue_length: u32,
    running: u32,
    waiting: VecDeque<(Ticket, W)>,
    next: u64,
}

impl<W> Line<W> {
    /// An empty line.
    pub fn new(bounds: &Bounds) -> Self {
        let Bounds { concurrency, queue_length, .. } = *bounds;
        Self { concurrency, queue_length, running: 0, waiting: VecDeque::new(), next: 0 }
    }

    /// Takes new bounds. Whoever runs or waits already stays; call [`Line::promote`] until it gives nothing.
    pub fn set_bounds(&mut self, bounds: &Bounds) {
        self.concurrency = bounds.concurrency;
        self.queue_length = bounds.queue_length;
    }

    /// A call arrives. Nobody overtakes: while someone waits, a newcomer waits too.
    pub fn arrive(&mut self) -> Arrival {
        if self.running < self.concurrency && self.waiting.is_empty() {
            self.running += 1;
            Arrival::Runs
        } else if self.waiting() < self.queue_length {
            Arrival::Waits
        } else {
            Arrival::Refused
        }
    }

    /// Lines up a call whose arrival was [`Arrival::Waits`].
    pub fn wait(&mut self, waiter: W) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push_back((ticket, waiter));
        ticket
    }

    /// A running call is done.
    pub fn leave(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// The next that may run now; it counts as running from here on.
    pub fn promote(&mut self) -> Option<W> {
        if self.running >= self.concurrency {
            return None;
        }
        let (_, waiter) = self.waiting.pop_front()?;
        self.running += 1;
        Some(waiter)
    }

    /// A waiting call gives up. Nothing happens when it is not waiting any more.
    pub fn abandon(&mut self, ticket: Ticket) {
        // Tickets stand in order, so that a crowd that times out together does not search the whole line each.
        if let Ok(at) = self.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            self.waiting.remove(at);
        }
    }

    /// Calls that run.
    pub fn running(&self) -> u32 {
        self.running
    }

    /// Calls that wait.
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    /// Calls that may wait at once.
    pub fn queue_length(&self) -> u32 {
        self.queue_length
    }

    /// Calls that may run at once.
    pub fn concurrency(&self) -> u32 {
        self.concurrency
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds(concurrency: u32, queue_length: u32) -> Bounds {
        Bounds { concurrency, queue_length, queue_timeout_ms: 1_000, max_streams: 0 }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Arrive,
        Leave,
        Abandon(usize),
        Bounds(u32, u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Arrive),
            3 => Just(Step::Leave),
            1 => any::<usize>().prop_map(Step::Abandon),
            1 => (1_u32..5, 0_u32..6).prop_map(|(concurrency, queue)| Step::Bounds(concurrency, queue)),
        ]
    }

    /// A line and everything that a caller would know about it.
    struct World {
        line: Line<u32>,
        arrived: u32,
        refused: u32,
        abandoned: u32,
        done: u32,
        waiting: Vec<(Ticket, u32)>,
        started: Vec<u32>,
    }

    impl World {
        fn apply(&mut self, step: &Step) {
            match *step {
                Step::Arrive => self.arrive(),
                Step::Leave if self.line.running() > 0 => {
                    self.line.leave();
                    self.done += 1;
                }
                Step::Abandon(at) if !self.waiting.is_empty() => {
                    let (ticket, _) = self.waiting.remove(at % self.waiting.len());
                    self.line.abandon(ticket);
                    self.abandoned += 1;
                }
                Step::Bounds(concurrency, queue) => self.line.set_bounds(&bounds(concurrency, queue)),
                Step::Leave | Step::Abandon(_) => {}
            }
            while let Some(call) = self.line.promote() {
                assert_eq!(self.waiting.remove(0).1, call, "first come, first served");
                self.started.push(call);
            }
        }

        fn arrive(&mut self) {
            let call = self.arrived;
            self.arrived += 1;
            match self.line.arrive() {
                Arrival::Runs => self.started.push(call),
                Arrival::Waits => {
                    let ticket = self.line.wait(call);
                    self.waiting.push((ticket, call));
                }
                Arrival::Refused => self.refused += 1,
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_is_lost_overtaken_or_left_waiting(steps in prop::collection::vec(step(), 0..200)) {
            let line = Line::new(&bounds(2, 3));
            let mut world = World {
                line, arrived: 0, refused: 0, abandoned: 0, done: 0, waiting: Vec::new(), started: Vec::new(),
            };
            for step in &steps {
                let running = world.line.running();
                world.apply(step);
                let line = &world.line;
                prop_assert!(line.running() <= line.concurrency().max(running));
                prop_assert!(line.waiting() == 0 || line.running() >= line.concurrency());
                prop_assert_eq!(line.waiting() as usize, world.waiting.len());
                prop_assert_eq!(
                    world.arrived,
                    world.refused + world.abandoned + world.done + line.running() + line.waiting()
                );
                prop_assert!(world.started.is_sorted());
            }
        }
    }

    #[test]
    fn a_full_line_refuses_and_a_wider_one_admits() {
        let mut line = Line::new(&bounds(1, 1));
        assert_eq!(line.arrive(), Arrival::Runs);
        assert_eq!(line.arrive(), Arrival::Waits);
        line.wait("second");
        assert_eq!(line.arrive(), Arrival::Refused);
        line.set_bounds(&bounds(2, 1));
        assert_eq!(line.promote(), Some("second"));
        assert_eq!(line.promote(), None);
    }

    #[test]
    fn narrower_bounds_lose_nobody_who_waits() {
        let mut line = Line::new(&bounds(1, 2));
        assert_eq!(line.arrive(), Arrival::Runs);
        line.wait("a");
        line.wait("b");
        line.set_bounds(&bounds(1, 0));
        assert_eq!(line.arrive(), Arrival::Refused);
        line.leave();
        assert_eq!(line.promote(), Some("a"));
        line.leave();
        assert_eq!(line.promote(), Some("b"));
    }
}
