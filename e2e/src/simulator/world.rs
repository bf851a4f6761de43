//! Runs a trace event by event. Each call is sent to one Ready pod at random, as a Service does with connections.

use super::{
    pod::{Arrival, GRACE, Phase, Pod},
    random::Random,
    scaler::{Order, POLICY, Scaler, View, target},
    score::Score,
    trace::{Refused, Trace},
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    time::Duration,
};

/// How long a pod takes to become Ready: so long and up to a second more.
const START: Duration = Duration::from_millis(2_500);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(usize),
    Retry(usize),
    Finish { pod: usize, call: usize },
    GiveUp(usize),
    Ready(usize),
    Kill(usize),
    Look,
}

/// One trace and one scaler.
pub struct World<'a> {
    trace: &'a Trace,
    scaler: Box<dyn Scaler>,
    random: Random,
    now: Duration,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    scheduled: u64,
    pods: Vec<Pod>,
    replicas: u32,
    retried: HashSet<usize>,
    score: Score,
}

impl<'a> World<'a> {
    /// As many pods as the first minute needs, Ready.
    pub fn new(trace: &'a Trace, scaler: Box<dyn Scaler>) -> Self {
        let score = Score { scaler: scaler.name(), ..Score::default() };
        let mut world = Self {
            trace,
            scaler,
            random: Random::new(0x5eed),
            now: Duration::ZERO,
            events: BinaryHeap::new(),
            scheduled: 0,
            pods: Vec::new(),
            replicas: 0,
            retried: HashSet::new(),
            score,
        };
        world.scale_to(first_minute(trace));
        world.pods.iter_mut().for_each(|pod| pod.phase = Phase::Ready);
        world.schedule(Duration::ZERO, Event::Arrive(0));
        let first_look = world.scaler.period();
        world.schedule(first_look, Event::Look);
        world
    }

    /// To the trace's end; calls that run then are left alone.
    pub fn run(mut self) -> Score {
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at > self.trace.length {
                break;
            }
            self.now = at;
            self.handle(event);
        }
        let end = self.trace.length;
        for pod in self.pods.iter().filter(|pod| pod.phase != Phase::Gone) {
            self.score.pod_time += end.saturating_sub(pod.born);
        }
        self.score.waits.sort_unstable();
        self.score
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive(call) => {
                if let Some(next) = self.trace.calls.get(call + 1) {
                    self.schedule(next.at, Event::Arrive(call + 1));
                }
                self.send(call);
            }
            Event::Retry(call) => self.send(call),
            Event::Finish { pod, call } => self.finish(pod, call),
            Event::GiveUp(pod) => {
                while let Some((call, after)) = self.pods[pod].give_up(self.now) {
                    self.refuse(call, after);
                }
                self.leave_when_idle(pod);
            }
            Event::Ready(pod) => {
                if self.pods[pod].phase == Phase::Starting {
                    self.pods[pod].phase = Phase::Ready;
                }
            }
            Event::Kill(pod) if self.pods[pod].phase == Phase::Terminating => self.end(pod),
            Event::Kill(_) => {}
            Event::Look => self.look(),
        }
    }

    fn send(&mut self, call: usize) {
        let ready = self.in_phase(Phase::Ready);
        if ready.is_empty() {
            self.refuse(call, Duration::from_secs(1));
            return;
        }
        let pod = ready[self.random.below(ready.len())];
        match self.pods[pod].arrive(self.now, call) {
            Arrival::Runs => self.start(pod, call),
            Arrival::Waits(until) => self.schedule(until, Event::GiveUp(pod)),
            Arrival::Refused(after) => self.refuse(call, after),
        }
    }

    fn start(&mut self, pod: usize, call: usize) {
        let asked = &self.trace.calls[call];
        self.score.waits.push(self.now.saturating_sub(asked.at));
        self.schedule(self.now + asked.service, Event::Finish { pod, call });
    }

    fn finish(&mut self, pod: usize, call: usize) {
        if self.pods[pod].phase == Phase::Gone {
            return;
        }
        if let Some(next) = self.pods[pod].finish(self.now, self.trace.calls[call].service) {
            self.start(pod, next);
        }
        self.leave_when_idle(pod);
    }

    fn refuse(&mut self, call: usize, after: Duration) {
        if self.trace.refused == Refused::RetriesOnce && self.retried.insert(call) {
            self.schedule(self.now + after, Event::Retry(call));
        } else {
            self.score.refused += 1;
        }
    }

    fn look(&mut self) {
        let there = |pod: &Pod| !matches!(pod.phase, Phase::Terminating | Phase::Gone);
        let pods = self.pods.iter().enumerate().filter(|(_, pod)| there(pod));
        let views: Vec<_> = pods
            .map(|(at, pod)| View { pod: at, phase: pod.phase, signals: pod.signals(self.now) })
            .collect();
        let Order { replicas, drain } = self.scaler.look(self.now, self.replicas, &views);
        for View { pod, phase, .. } in views {
            match (phase, drain.contains(&pod)) {
                (Phase::Ready, true) => self.pods[pod].phase = Phase::Draining,
                (Phase::Draining, false) => self.pods[pod].phase = Phase::Ready,
                _ => {}
            }
        }
        self.scale_to(replicas);
        self.schedule(self.now + self.scaler.period(), Event::Look);
    }

    fn scale_to(&mut self, replicas: u32) {
        for _ in self.replicas..replicas {
            self.pods.push(Pod::new(self.now));
            let ready = self.now + START + Duration::from_secs_f64(self.random.unit());
            self.schedule(ready, Event::Ready(self.pods.len() - 1));
        }
        for _ in replicas..self.replicas {
            self.delete_one();
        }
        if replicas != self.replicas {
            self.score.replicas.push((self.now, replicas));
        }
        self.replicas = replicas;
    }

    /// What a `ReplicaSet` does: those that are not Ready first, otherwise any.
    fn delete_one(&mut self) {
        for phase in [Phase::Starting, Phase::Draining, Phase::Ready] {
            let pods = self.in_phase(phase);
            if !pods.is_empty() {
                let pod = pods[self.random.below(pods.len())];
                self.pods[pod].phase = Phase::Terminating;
                self.schedule(self.now + GRACE, Event::Kill(pod));
                self.leave_when_idle(pod);
                return;
            }
        }
    }

    fn leave_when_idle(&mut self, pod: usize) {
        if self.pods[pod].phase == Phase::Terminating && self.pods[pod].idle() {
            self.end(pod);
        }
    }

    fn end(&mut self, pod: usize) {
        self.score.pod_time += self.now.saturating_sub(self.pods[pod].born);
        self.score.cut += self.pods[pod].kill();
    }

    fn in_phase(&self, phase: Phase) -> Vec<usize> {
        let pods = self.pods.iter().enumerate();
        pods.filter(|(_, pod)| pod.phase == phase).map(|(at, _)| at).collect()
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((at, self.scheduled, event)));
    }
}

fn first_minute(trace: &Trace) -> u32 {
    let minute = Duration::from_mins(1);
    let early = trace.calls.iter().take_while(|call| call.at < minute);
    let work: Duration = early.map(|call| call.service).sum();
    (1..POLICY.max)
        .find(|pods| f64::from(*pods) * target() * 60.0 >= work.as_secs_f64())
        .unwrap_or(POLICY.max)
}
