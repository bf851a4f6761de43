//! Any replica answers: three without affinity, one killed, all replaced, one taken away, while clients of both eras go
//! on. What really ran is read from the ledger of the upstream.

use crate::harness::{
    Fate, Modern, Replicas, Session, Sharing, UpstreamEra, accept, is_request, request, text, until,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

const COUNT: &str = "count_in_session";

/// What the gateway itself has told the client among these messages.
fn told(messages: &[Value]) -> Vec<String> {
    let own = messages.iter().filter(|message| message["params"]["logger"] == "mcpfleet");
    own.map(|message| message["params"]["data"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The counts of `tool` in each session of the upstream that has called it, in order.
async fn sessions(replicas: &Replicas, tool: &str) -> Vec<u64> {
    let ledger = replicas.upstream.ledger().await;
    let all = ledger["sessions"].as_object().expect("sessions");
    let mut counts: Vec<u64> = all.values().filter_map(|tools| tools[tool]["began"].as_u64()).collect();
    counts.sort_unstable();
    counts
}

#[tokio::test]
async fn a_session_whose_replica_is_killed_goes_on_at_one_other_and_its_client_is_told_what_was_lost() {
    for sharing in Sharing::BOTH {
        let (replicas, [mut owner, second, third]) = Replicas::three(UpstreamEra::Legacy, sharing).await;
        let session = Session::open(&owner.mcp).await;
        let at_second = session.at(&second.mcp);
        assert!(
            at_second.request(1, "logging/setLevel", &json!({"level": "debug"})).await.status.is_success()
        );
        for n in 1..=9 {
            let answer = replicas.call(&session, n, COUNT, &json!({})).await.answer();
            assert_eq!(text(&answer), n.to_string(), "{sharing:?}");
        }
        let slow = tokio::spawn(async move { at_second.call("slow", "slow", &json!({"ms": 60_000})).await });
        replicas.upstream.until("slow", "began", 1).await;
        replicas.remove(&owner);
        owner.kill().await;
        let lost = slow.await.expect("a task");
        assert_eq!(lost["id"], "slow", "{sharing:?}: {lost}");
        assert!(lost["error"]["message"].as_str().unwrap().contains("may have been carried out"), "{lost}");

        // All at once, at both: a session that split would count in two places.
        let calls = (1..=10).map(|n| {
            let at = session.at(if n % 2 == 0 { &second.mcp } else { &third.mcp });
            async move { at.start(n, COUNT, &json!({})).await.all().await }
        });
        let answers = futures::future::join_all(calls).await;
        let mut counts: Vec<u64> = answers
            .iter()
            .map(|said| text(said.last().expect("an answer")).parse().expect("a count"))
            .collect();
        counts.sort_unstable();
        assert_eq!(counts, (1..=10).collect::<Vec<_>>(), "{sharing:?}");
        assert_eq!(sessions(&replicas, COUNT).await, [9, 10], "{sharing:?}");

        let notices: Vec<String> = answers.iter().flat_map(|said| told(said)).collect();
        let [notice] = notices.as_slice() else { panic!("{sharing:?}: told {notices:?}") };
        assert!(notice.contains("upstream"), "{notice}");
        assert_eq!(notice.contains("log level"), sharing == Sharing::Asked, "{notice}");
        let logged = session.at(&third.mcp).start(20, "test_tool_with_logging", &json!({})).await.all().await;
        assert_eq!(logged.len(), if sharing == Sharing::Stored { 4 } else { 1 }, "{sharing:?}: {logged:?}");
        assert_eq!(replicas.upstream.count("slow", "began").await, 1, "{sharing:?}: sent again");
    }
}

/// A client that calls without a pause until it is told to stop; each call counts under a key of its own.
struct Client {
    stop: Arc<AtomicBool>,
    work: tokio::task::JoinHandle<(usize, Vec<Lost>)>,
}

/// A call of which nobody knows whether it ran.
#[derive(Debug)]
struct Lost {
    #[expect(dead_code, reason = "shown where an assertion fails")]
    key: String,
    began: Instant,
    #[expect(dead_code, reason = "shown where an assertion fails")]
    why: String,
}

impl Client {
    fn start(replicas: &Arc<Replicas>, name: &'static str, session: Option<Session>) -> Self {
        let (stop, replicas) = (Arc::<AtomicBool>::default(), replicas.clone());
        let stopped = stop.clone();
        let work = tokio::spawn(async move {
            let (mut answered, mut lost) = (0, Vec::new());
            for n in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let key = format!("{name}-{n}");
                let params = json!({"name": "ledger_echo", "arguments": {"key": &key}});
                let post = match &session {
                    Some(session) => session.post(&request(n, "tools/call", &params)),
                    None => Modern::new(&replicas.next()).post(n, "tools/call", &params),
                };
                let began = Instant::now();
                match replicas.send(&post).await {
                    Fate::Unknown(why) => lost.push(Lost { key, began, why }),
                    Fate::Answered(answer) => {
                        assert_eq!(answer["result"]["content"][0]["text"], "1", "{key}: {answer}");
                        answered += 1;
                    }
                }
            }
            (answered, lost)
        });
        Self { stop, work }
    }

    /// How many of its calls were answered, and those that may have run.
    async fn end(self) -> (usize, Vec<Lost>) {
        self.stop.store(true, Ordering::Relaxed);
        self.work.await.expect("the client")
    }
}

/// Waits until so many more calls have run.
async fn go_on(replicas: &Replicas) {
    let begun = replicas.upstream.count("ledger_echo", "began").await;
    let look =
        || async { (replicas.upstream.count("ledger_echo", "began").await > begun + 60).then_some(()) };
    until("clients to go on", look).await;
}

#[tokio::test]
async fn clients_of_both_eras_lose_nothing_while_every_replica_is_replaced_and_one_is_taken_away() {
    for sharing in Sharing::BOTH {
        let (replicas, old) = Replicas::three(UpstreamEra::Legacy, sharing).await;
        let replicas = Arc::new(replicas);
        let session = Session::open(&old[1].mcp).await;
        let clients =
            [Client::start(&replicas, "legacy", Some(session)), Client::start(&replicas, "modern", None)];
        go_on(&replicas).await;
        let mut new = Vec::new();
        for mut gone in old {
            new.push(replicas.start().await);
            replicas.remove(&gone);
            gone.terminate();
            gone.ended().await;
            go_on(&replicas).await;
        }
        let mut taken = new.remove(0);
        replicas.remove(&taken);
        taken.terminate();
        taken.ended().await;
        go_on(&replicas).await;
        let ledger = replicas.upstream.ledger().await;
        for client in clients {
            let (answered, lost) = client.end().await;
            assert!(answered > 40, "{sharing:?}: {answered}");
            assert!(lost.is_empty(), "{sharing:?}: nothing was killed: {lost:?}");
        }
        let keys = ledger["keys"].as_object().expect("keys");
        assert!(keys.values().all(|count| *count == 1), "{sharing:?}: a call ran twice: {keys:?}");
    }
}

#[tokio::test]
async fn when_one_is_killed_only_calls_that_were_there_are_lost_and_none_runs_twice() {
    for sharing in Sharing::BOTH {
        let (replicas, [one, mut killed, other]) = Replicas::three(UpstreamEra::Legacy, sharing).await;
        let replicas = Arc::new(replicas);
        let session = Session::open(&killed.mcp).await;
        let clients =
            [Client::start(&replicas, "legacy", Some(session)), Client::start(&replicas, "modern", None)];
        go_on(&replicas).await;
        killed.kill().await;
        let gone = Instant::now();
        replicas.remove(&killed);
        go_on(&replicas).await;
        for client in clients {
            let (answered, lost) = client.end().await;
            assert!(answered > 20, "{sharing:?}: {answered}");
            // A process that is killed closes its connections one after the other: a client can lose a call on each.
            let later: Vec<_> = lost.iter().filter(|call| call.began > gone).collect();
            assert!(
                later.is_empty(),
                "{sharing:?}: lost, though it began when nothing was left to die: {lost:?}"
            );
        }
        let ledger = replicas.upstream.ledger().await;
        let keys = ledger["keys"].as_object().expect("keys");
        assert!(keys.values().all(|count| *count == 1), "{sharing:?}: a call ran twice: {keys:?}");
        drop((one, other));
    }
}

#[tokio::test]
async fn a_call_that_waits_for_its_client_is_answered_at_another_replica_while_its_own_drains() {
    for sharing in Sharing::BOTH {
        let (replicas, [mut leaving, second, third]) = Replicas::three(UpstreamEra::Legacy, sharing).await;
        let (modern, arguments) = (Modern::new(&leaving.mcp), json!({"message": "Who?"}));
        let asked = modern.asked("test_elicitation", &arguments).await;
        let session = Session::open(&leaving.mcp).await;
        let mut reply = session.at(&second.mcp).start(7, "ask_twice", &json!({})).await;
        let first = reply.next().await.expect("a question");
        assert!(is_request(&first), "{first}");

        replicas.remove(&leaving);
        leaving.terminate();
        until("its listener to close", || async {
            tokio::net::TcpStream::connect(leaving.mcp.address).await.is_err().then_some(())
        })
        .await;
        session.at(&third.mcp).respond(&first, &accept(&json!({"name": "Ada"}))).await;
        let second_question = reply.next().await.expect("a question");
        session.at(&second.mcp).respond(&second_question, &accept(&json!({"name": "Grace"}))).await;
        assert_eq!(text(&reply.answer().await), r#""Ada" and "Grace""#, "{sharing:?}");

        let contact = |_: &Value| accept(&json!({"username": "ada", "email": "ada@example.com"}));
        let retry = Modern::retry("test_elicitation", &arguments, &asked, contact);
        let answer = modern.at(&third.mcp).again(&retry).await;
        assert!(text(&answer).contains("ada@example.com"), "{sharing:?}: {answer}");
        // Nothing of it is left to wait for.
        leaving.ended().await;
        assert_eq!(replicas.upstream.count("test_elicitation", "began").await, 1);
        assert_eq!(replicas.upstream.count("ask_twice", "began").await, 1);
    }
}

#[tokio::test]
async fn a_deleted_session_is_known_to_be_so_when_the_replica_that_held_it_is_gone() {
    for sharing in Sharing::BOTH {
        let (replicas, [mut owner, second, third]) = Replicas::three(UpstreamEra::Legacy, sharing).await;
        let (deleted, kept) = (Session::open(&owner.mcp).await, Session::open(&owner.mcp).await);
        assert!(deleted.at(&second.mcp).delete().await.status.is_success());
        replicas.remove(&owner);
        owner.kill().await;
        let fresh = replicas.start().await;
        for endpoint in [&second.mcp, &third.mcp, &fresh.mcp] {
            assert_eq!(deleted.at(endpoint).request(1, "ping", &json!({})).await.status, 404, "{sharing:?}");
            assert_eq!(kept.at(endpoint).request(1, "ping", &json!({})).await.status, 200, "{sharing:?}");
        }
    }
}

#[tokio::test]
async fn without_its_redis_a_server_goes_on_as_one_that_has_none() {
    let (mut replicas, [mut owner, second, third]) =
        Replicas::three(UpstreamEra::Legacy, Sharing::Stored).await;
    let session = Session::open(&owner.mcp).await;
    replicas.redis.as_mut().expect("a Redis").kill().await;
    assert_eq!(session.request(1, "logging/setLevel", &json!({"level": "debug"})).await.status, 200);
    replicas.remove(&owner);
    owner.kill().await;
    for n in 1..=6 {
        let answer = replicas.call(&session, n, COUNT, &json!({})).await.answer();
        assert_eq!(text(&answer), n.to_string(), "adopted by one, though nobody decides but they");
    }
    drop((second, third));
}
