//! From a call to a task, in a time of its own.

use super::{
    Escalation, HESITATION, Moment, Tasks,
    escalate::LIFETIME,
    id::{Holder, Place, TaskId},
    store::{MAX_OF_CALLER, MAX_TASKS},
};
use crate::{
    conversation::{
        Answered, Client, Delivery, Exchange, Step, Suspended,
        exchange::{Going, Origin},
        input::Digest,
    },
    exchange::{Ask, Caller},
    identity::Principal,
    seal::Keyring,
    store::Store,
};
use mcpfleet_protocol::{
    ClientCapabilities, Revision, answer::Implementation, json::JsonText, jsonrpc::Id, server::Meta,
};
use serde_json::{Value, value::RawValue};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

struct World {
    keys: Arc<Keyring>,
    tasks: Arc<Tasks>,
    client: Arc<Client>,
    moment: Moment,
}

impl World {
    fn new() -> Self {
        let keys = Keyring::random().unwrap();
        let store = Store::in_memory(keys.clone(), "default/a");
        let tasks = Tasks::new(keys.clone(), String::new(), Implementation::new("default/a", "1"), store);
        let client = client("somebody");
        Self { keys, tasks, client, moment: Moment::Later }
    }
}

fn client(user: &str) -> Arc<Client> {
    Arc::new(Client {
        revision: Revision::LATEST_MODERN,
        capabilities: ClientCapabilities::default(),
        principal: Arc::new(Principal { user: Some(user.into()), ..Principal::default() }),
        live: None,
    })
}

impl World {
    fn exchange(&self, work: impl Future<Output = Answered> + Send + 'static) -> Exchange {
        let arguments = RawValue::from_string("{}".into()).unwrap();
        let ask = Ask::CallTool { name: "t".into(), arguments };
        let (caller, events) = Caller::new(Arc::new(self.client.profile(&Meta::default())));
        let deadline = caller.deadline();
        // As the real work does, it runs within the deadline of a call.
        let limit = HESITATION * 2;
        let work =
            Box::pin(async move { caller.within(limit, work).await.unwrap_or_else(|_| Answered::broken()) });
        let implementation = Implementation::new("default/a", "1");
        let origin = Origin {
            id: Id::number(1),
            token: None,
            client: self.client.clone(),
            delivery: Delivery::AnswerOnly,
            suspended: Suspended::new(self.keys.clone(), String::new(), implementation),
            digest: Digest::of("default/a", &ask),
        };
        let escalation = Escalation::new(self.tasks.clone(), &self.client, "t", (LIFETIME, self.moment));
        Exchange::new(Going { work, events, deadline }, origin, Some(escalation))
    }

    /// The answer to a call that takes so long.
    async fn call(&self, work: impl Future<Output = Answered> + Send + 'static) -> Value {
        match self.exchange(work).next().await {
            Some(Step::Last(answered)) => serde_json::from_slice(&answered.message).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn key(&self, answer: &Value) -> [u8; 16] {
        let holder = Holder { server: "default/a", partition: self.client.principal.fingerprint() };
        let id = answer["result"]["taskId"].as_str().unwrap();
        match TaskId::open(id, &self.keys, holder).unwrap().place {
            Place::Replica { key, .. } => key,
            Place::Upstream { .. } => panic!("it is ours"),
        }
    }

    fn status(&self, key: &[u8; 16]) -> Option<String> {
        let task = self.tasks.here(*key)?.detailed(&self.tasks.server);
        let task: Value = serde_json::from_str(task.as_str()).unwrap();
        task["status"].as_str().map(ToOwned::to_owned)
    }
}

async fn takes(time: Duration) -> Answered {
    sleep(time).await;
    Answered::success(&Id::number(1), &JsonText::empty_object())
}

#[tokio::test(start_paused = true)]
async fn what_is_done_soon_is_no_task() {
    let world = World::new();
    let answer = world.call(takes(HESITATION / 2)).await;
    assert_eq!(answer["result"], serde_json::json!({}));
    assert_eq!(world.tasks.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_is_one_and_outlives_the_deadline_of_the_call() {
    let world = World::new();
    let answer = world.call(takes(HESITATION * 20)).await;
    assert_eq!((&answer["result"]["resultType"], &answer["id"]), (&"task".into(), &1.into()));
    let key = world.key(&answer);
    assert_eq!(world.status(&key).as_deref(), Some("working"));
    sleep(HESITATION * 20).await;
    assert_eq!(world.status(&key).as_deref(), Some("completed"));
}

/// Work without end, and word of its being dropped.
fn endless() -> (impl Future<Output = Answered> + Send + 'static, oneshot::Receiver<()>) {
    let (held, dropped) = oneshot::channel::<()>();
    let work = async move {
        let _held = held;
        pending().await
    };
    (work, dropped)
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_one_drops_its_work() {
    let world = World::new();
    let (work, dropped) = endless();
    let key = world.key(&world.call(work).await);
    assert_eq!(world.tasks.cancel(key).await, Ok(Some(())));
    assert!(timeout(LIFETIME / 2, dropped).await.unwrap().is_err());
    assert_eq!(world.status(&key).as_deref(), Some("cancelled"));
}

#[tokio::test(start_paused = true)]
async fn one_is_kept_for_its_lifetime_and_no_longer() {
    let world = World::new();
    let (work, dropped) = endless();
    let key = world.key(&world.call(work).await);
    sleep(LIFETIME.checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(world.status(&key).as_deref(), Some("working"));
    sleep(Duration::from_secs(2)).await;
    assert_eq!((world.status(&key), world.tasks.count()), (None, 0));
    assert!(dropped.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn without_room_a_call_just_goes_on_and_one_that_was_to_be_a_task_is_refused() {
    let mut world = World::new();
    for user in ["one", "two"] {
        world.client = client(user);
        for _ in 0..MAX_OF_CALLER {
            world.call(pending()).await;
        }
        let answer = world.call(takes(HESITATION * 3 / 2)).await;
        assert_eq!(answer["result"], serde_json::json!({}), "nobody takes the places of others");
    }
    assert_eq!(world.tasks.count(), MAX_TASKS);
    (world.client, world.moment) = (client("three"), Moment::AtOnce);
    let (work, dropped) = endless();
    let refused = world.call(work).await;
    assert_eq!(refused["error"]["code"], -31503);
    assert!(refused["error"]["data"]["retryAfterSeconds"].as_u64().is_some_and(|it| it > 0), "{refused}");
    assert!(dropped.await.is_err(), "nothing was begun");
    assert_eq!(world.tasks.count(), MAX_TASKS);
}

#[tokio::test(start_paused = true)]
async fn what_is_a_task_at_once_is_one_before_it_is_done() {
    let world = World { moment: Moment::AtOnce, ..World::new() };
    let answer = world.call(takes(Duration::ZERO)).await;
    let key = world.key(&answer);
    assert_eq!(answer["result"]["status"], "working");
    let record = world.tasks.here(key).unwrap();
    record.ended_within(LIFETIME).await;
    assert_eq!(world.status(&key).as_deref(), Some("completed"));
}

#[tokio::test(start_paused = true)]
async fn one_whose_client_has_left_before_it_was_named_is_given_up() {
    let world = World { moment: Moment::AtOnce, ..World::new() };
    let (work, dropped) = endless();
    drop(world.exchange(work));
    assert!(timeout(LIFETIME / 2, dropped).await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_says_what_became_of_its_tasks() {
    let world = World { moment: Moment::AtOnce, ..World::new() };
    let (work, dropped) = endless();
    let key = world.key(&world.call(work).await);
    world.tasks.stop().await;
    assert!(dropped.await.is_err());
    assert_eq!(world.status(&key).as_deref(), Some("failed"));
}
