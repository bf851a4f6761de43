//! Candidates, refusals and reconnects, with time given by hand.

use super::*;
use futures::FutureExt;
use mcpfleet_config::{
    ConfigHash, Encoded, ServerName,
    status::{PodStatus, Rejected},
};
use std::sync::Arc;

fn encoded(text: &str) -> Arc<Encoded> {
    Arc::new(Encoded { json: text.into(), hash: ConfigHash::of(text.as_bytes()) })
}

fn endpoint(uid: &str) -> Endpoint {
    Endpoint { pod: format!("pod-{uid}"), uid: uid.into(), address: [10, 0, 0, 1].into(), ready: true }
}

/// What a pod says first; its address ends with its uid.
fn hello(uid: &str) -> Hello {
    let server = ServerName { namespace: "agents".into(), name: "support".into() };
    let last = uid.bytes().last().unwrap_or_default();
    Hello { server, format: 2, version: "0".into(), peer: Some(([10, 0, 0, last], 8082).into()) }
}

/// A group with pods, each with its outbox.
struct World {
    group: Group,
    now: Instant,
    endpoints: Vec<Endpoint>,
    outboxes: Vec<(String, Arc<Outbox>)>,
}

impl World {
    fn new() -> Self {
        Self { group: Group::default(), now: Instant::now(), endpoints: Vec::new(), outboxes: Vec::new() }
    }

    /// The Service has these pods, all Ready.
    fn serve(&mut self, uids: &[&str]) {
        self.endpoints = uids.iter().map(|uid| endpoint(uid)).collect();
        self.group.expect(&self.endpoints, false, self.now);
    }

    /// A pod of the Service dials and says what it serves.
    fn dial(&mut self, uid: &str, serves: Option<&Encoded>) {
        if !self.endpoints.iter().any(|known| known.uid == uid) {
            self.endpoints.push(endpoint(uid));
            self.group.expect(&self.endpoints, false, self.now);
        }
        let outbox = Arc::new(Outbox::default());
        let session = self.outboxes.len() as u64;
        self.group.join(uid, &format!("pod-{uid}"), &hello(uid), session, &outbox);
        self.outboxes.push((uid.into(), outbox));
        self.say(uid, serves, None);
    }

    fn say(&mut self, uid: &str, serves: Option<&Encoded>, rejected: Option<&Encoded>) -> News {
        let status = PodStatus {
            config_hash: serves.map(|config| config.hash.clone()),
            rejected: rejected.map(|config| Rejected { hash: config.hash.clone(), message: "no".into() }),
            ..PodStatus::default()
        };
        let session = self.outboxes.iter().rposition(|(name, _)| name == uid).unwrap() as u64;
        let report = Report { status: Some(status), ..Report::default() };
        self.group.hear(uid, session, report, self.now).expect("the stream counts")
    }

    /// Where the pod was told last that replicas reach each other.
    fn told_peers(&self, uid: &str) -> Option<Vec<String>> {
        let (_, outbox) = self.outboxes.iter().rev().find(|(name, _)| name == uid)?;
        let pending = outbox.take().now_or_never()?;
        Some(pending.peers?.iter().map(ToString::to_string).collect())
    }

    /// The configuration that waits to be sent to a pod.
    fn sent(&self, uid: &str) -> Option<Config> {
        let (_, outbox) = self.outboxes.iter().rfind(|(name, _)| name == uid).unwrap();
        outbox.take().now_or_never().and_then(|pending| pending.config)
    }

    fn sent_text(&self, uid: &str) -> Option<String> {
        self.sent(uid).map(|config| config.encoded.json.clone())
    }
}

/// Pod `a` serves what is accepted and has refused what is desired.
fn refused() -> (World, Arc<Encoded>, Arc<Encoded>) {
    let (old, new) = (encoded("old"), encoded("new"));
    let mut world = World::new();
    world.group.desire(&old, world.now);
    world.dial("a", Some(&old));
    world.group.desire(&new, world.now);
    assert_eq!(world.sent_text("a").as_deref(), Some("new"));
    world.say("a", Some(&old), Some(&new));
    (world, old, new)
}

#[test]
fn a_change_goes_to_one_pod_and_after_its_yes_to_the_others() {
    let (old, new) = (encoded("old"), encoded("new"));
    let mut world = World::new();
    world.group.desire(&old, world.now);
    assert_eq!(
        world.group.accepted().map(|config| config.revision),
        Some(1),
        "nobody runs: the compiler is believed"
    );
    for uid in ["a", "b"] {
        world.dial(uid, Some(&old));
    }
    world.group.desire(&new, world.now);
    assert_eq!((world.sent_text("a").as_deref(), world.sent("b")), (Some("new"), None));
    assert_eq!(*world.group.accepted().unwrap().hash(), old.hash);
    assert_eq!(world.say("a", Some(&new), None), News::Yes);
    assert_eq!(
        world.group.accepted().map(|config| (config.revision, config.hash().clone())),
        Some((2, new.hash.clone()))
    );
    assert_eq!(world.sent_text("b").as_deref(), Some("new"));
    assert_eq!(world.sent("a"), None, "it has it");
}

#[test]
fn a_refused_candidate_changes_nothing_and_is_tried_again_when_whoever_refused_has_gone() {
    let (mut world, old, _) = refused();
    assert_eq!(*world.group.accepted().unwrap().hash(), old.hash);
    // A pod that starts meanwhile gets what is accepted.
    world.dial("b", None);
    assert_eq!(world.sent_text("b").as_deref(), Some("old"));
    world.say("b", Some(&old), None);
    // A pod that refused and is being deleted still has its stream.
    world.serve(&["b"]);
    assert_eq!(world.sent_text("b").as_deref(), Some("new"));
}

#[test]
fn going_back_to_what_is_accepted_is_no_new_revision() {
    let (mut world, old, new) = refused();
    world.group.desire(&old, world.now);
    assert_eq!(world.group.accepted().map(|config| config.revision), Some(1));
    world.group.desire(&new, world.now);
    assert_eq!(world.sent("a"), None, "what it has refused it is not sent again");
}

#[test]
fn a_refused_candidate_is_not_accepted_because_nobody_is_left_to_refuse_it() {
    let (mut world, old, new) = refused();
    world.group.leave("a", 0, world.now);
    world.serve(&[]);
    world.group.tick(world.now + GRACE);
    assert_eq!(*world.group.accepted().unwrap().hash(), old.hash, "new pods boot from what was accepted");
    // Another pod takes it.
    world.dial("b", Some(&old));
    assert_eq!(world.sent_text("b").as_deref(), Some("new"));
    world.say("b", Some(&new), None);
    assert_eq!(*world.group.accepted().unwrap().hash(), new.hash);
}

#[test]
fn what_serves_is_not_replaced_untested_while_its_pods_are_not_connected() {
    let (old, new) = (encoded("old"), encoded("new"));
    let mut world = World::new();
    world.group.desire(&old, world.now);
    world.dial("a", Some(&old));
    world.group.leave("a", 0, world.now);
    world.group.desire(&new, world.now);
    world.group.tick(world.now + GRACE * 2);
    assert_eq!(*world.group.accepted().unwrap().hash(), old.hash);
    world.serve(&[]);
    assert_eq!(*world.group.accepted().unwrap().hash(), new.hash, "nobody serves any more");
}

#[test]
fn a_server_of_the_same_name_made_anew_inherits_nothing() {
    let old = encoded("old");
    let mut world = World::new();
    world.group.claim("one");
    world.group.desire(&old, world.now);
    assert!(world.group.accepted().is_some());
    world.group.claim("one");
    assert!(world.group.accepted().is_some());
    world.group.claim("another");
    assert!(world.group.accepted().is_none());
}

#[test]
fn what_the_configmap_holds_is_accepted_after_a_restart_of_the_operator() {
    let (old, new) = (encoded("old"), encoded("new"));
    let mut world = World::new();
    world.group.recall(Config::new(7, old.clone()));
    world.group.expect(&[endpoint("a")], true, world.now);
    world.group.desire(&new, world.now);
    assert!(world.group.is_awaiting());
    assert_eq!(*world.group.accepted().unwrap().hash(), old.hash, "a pod may still come and say no");
    world.dial("a", Some(&old));
    world.group.expect(&[endpoint("a")], true, world.now);
    assert_eq!(world.sent("a").map(|config| config.revision), Some(8));
}

#[test]
fn a_reconnect_is_no_news_and_a_long_absence_is() {
    let old = encoded("old");
    let mut world = World::new();
    world.group.desire(&old, world.now);
    world.dial("a", Some(&old));
    world.group.leave("a", 0, world.now);
    assert_eq!(world.group.tick(world.now + GRACE / 2), News::No);
    assert!(world.group.answers(&[endpoint("a")])[0].status.is_some());
    assert_eq!(world.group.tick(world.now + GRACE), News::Yes);
    assert!(world.group.answers(&[endpoint("a")])[0].status.is_none());
}

#[test]
fn the_end_of_an_old_stream_does_not_end_the_new_one() {
    let old = encoded("old");
    let mut world = World::new();
    world.group.desire(&old, world.now);
    world.dial("a", Some(&old));
    world.dial("a", Some(&old));
    world.group.leave("a", 0, world.now);
    assert!(world.group.signals("a").is_some());
    assert_eq!(world.say("a", Some(&old), None), News::No);
    let (_, first) = &world.outboxes[0];
    assert!(first.closed().is_cancelled(), "nobody can hold many streams of one pod");
}

#[test]
fn a_pod_that_was_told_to_drain_is_told_again_when_it_dials_anew() {
    let old = encoded("old");
    let mut world = World::new();
    world.dial("a", Some(&old));
    world.group.serve("a", Serving::Draining);
    world.dial("a", Some(&old));
    let (_, outbox) = world.outboxes.last().unwrap();
    assert_eq!(outbox.take().now_or_never().and_then(|pending| pending.serving), Some(Serving::Draining));
}

#[test]
fn replicas_are_told_where_they_reach_each_other_as_they_come_and_go() {
    let config = encoded("a");
    let mut world = World::new();
    world.dial("a", Some(&config));
    world.dial("b", Some(&config));
    let both = vec!["10.0.0.97:8082".to_owned(), "10.0.0.98:8082".to_owned()];
    assert_eq!([world.told_peers("a"), world.told_peers("b")], [Some(both.clone()), Some(both)]);
    world.group.leave("b", 1, world.now);
    assert_eq!(world.told_peers("a"), None, "it may be back in a moment");
    world.now += GRACE;
    world.group.tick(world.now);
    assert_eq!(world.told_peers("a"), Some(vec!["10.0.0.97:8082".to_owned()]));
}
