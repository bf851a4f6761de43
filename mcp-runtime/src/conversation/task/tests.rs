//! From a call to a task, in a time of its own.

use super::{
    Escalation, HESITATION, Tasks,
    answer::Wanted,
    id::{Holder, Place, TaskId},
    record::LIFETIME,
    store::MAX_TASKS,
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
};
use mcpfleet_protocol::{
    ClientCapabilities, Revision,
    answer::Implementation,
    json::JsonText,
    jsonrpc::Id,
    server::{Meta, TaskVerb},
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
}

impl World {
    fn new() -> Self {
        let keys = Keyring::random().unwrap();
        let tasks = Tasks::new(keys.clone(), String::new(), Implementation::new("default/a", "1"));
        let client = Client {
            revision: Revision::LATEST_MODERN,
            capabilities: ClientCapabilities::default(),
            principal: Principal::anonymous(),
            live: None,
        };
        Self { keys, tasks, client: Arc::new(client) }
    }

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
            escalation: Some(Escalation { tasks: self.tasks.clone(), tool: "t".into() }),
        };
        Exchange::new(Going { work, events, deadline }, origin)
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
        let wanted = Wanted { verb: TaskVerb::Get, id };
        match TaskId::open(wanted.id, &self.keys, holder).unwrap().place {
            Place::Replica { key, .. } => key,
            Place::Upstream { .. } => panic!("it is ours"),
        }
    }

    fn status(&self, key: &[u8; 16]) -> Option<String> {
        let task: Value = serde_json::from_str(self.tasks.get(key)?.as_str()).unwrap();
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
    assert!(world.tasks.cancel(&key).is_some());
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
async fn without_room_a_call_just_goes_on() {
    let world = World::new();
    for _ in 0..MAX_TASKS {
        world.call(pending()).await;
    }
    let answer = world.call(takes(HESITATION * 3 / 2)).await;
    assert_eq!(answer["result"], serde_json::json!({}));
    assert_eq!(world.tasks.count(), MAX_TASKS);
}
