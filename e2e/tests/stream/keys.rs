//! The keys that replicas of one server share.

use super::fleet;
use mcpfleet_config::stream::{Down, SessionKey, codec::DownFrame};
use mcpfleet_e2e::{
    harness::eventually,
    loopback::{Ear, Hub, SERVER, tool},
};
use mcpfleet_operator::sessions::rotation::{LIFE, NOTICE, rotate};

/// The keys that come before anything else but the welcome.
async fn first_keys(ear: &mut Ear) -> Vec<SessionKey> {
    let welcome = ear.next().await.unwrap();
    assert!(matches!(welcome, DownFrame::Message(Down::Welcome { .. })), "{welcome:?}");
    next_keys(ear).await
}

async fn next_keys(ear: &mut Ear) -> Vec<SessionKey> {
    match ear.next().await.unwrap() {
        DownFrame::Message(Down::Keys { keys }) => keys,
        other => panic!("no keys but {other:?}"),
    }
}

#[tokio::test]
async fn keys_come_before_the_configuration_and_replicas_have_the_same() {
    let hub = Hub::start().await.unwrap();
    hub.apply(tool("hello", "first")).unwrap();
    let mut one = Ear::dial(&hub, SERVER, 1).await.unwrap();
    let keys = first_keys(&mut one).await;
    assert_eq!(keys.len(), 1);
    assert!(matches!(one.next().await.unwrap(), DownFrame::Config(..)));
    let mut other = Ear::dial(&hub, SERVER, 2).await.unwrap();
    assert_eq!(first_keys(&mut other).await, keys);
}

#[tokio::test]
async fn another_server_has_others() {
    let hub = Hub::start().await.unwrap();
    hub.add_server("bakery").unwrap();
    let (mut shop, mut bakery) =
        (Ear::dial(&hub, SERVER, 1).await.unwrap(), Ear::dial(&hub, "bakery", 1).await.unwrap());
    let (shop, bakery) = (first_keys(&mut shop).await, first_keys(&mut bakery).await);
    assert_eq!(shop[0].epoch, bakery[0].epoch);
    assert_ne!(shop[0].secret, bakery[0].secret);
}

#[tokio::test]
async fn keys_survive_a_change_of_leader() {
    let mut hub = Hub::start().await.unwrap();
    let before = first_keys(&mut Ear::dial(&hub, SERVER, 1).await.unwrap()).await;
    hub.depose();
    hub.lead(2);
    assert_eq!(first_keys(&mut Ear::dial(&hub, SERVER, 1).await.unwrap()).await, before);
}

#[tokio::test]
async fn open_streams_hear_of_the_next_key_before_it_seals() {
    let hub = Hub::start().await.unwrap();
    let mut ear = Ear::dial(&hub, SERVER, 1).await.unwrap();
    let first = first_keys(&mut ear).await;
    let later = jiff::Timestamp::now() + LIFE;
    let masters = rotate(hub.masters(), later).unwrap().0;
    hub.context.session_keys.adopt(&masters, later);
    let announced = next_keys(&mut ear).await;
    assert_eq!((announced.len(), &announced[0]), (2, &first[0]));
    hub.context.session_keys.adopt(&masters, later + NOTICE);
    let switched = next_keys(&mut ear).await;
    assert_eq!(switched, [announced[1].clone(), announced[0].clone()]);
}

#[tokio::test]
async fn runtimes_take_them() {
    let (hub, _runtimes, uids) = fleet(1, &[]).await;
    let log = hub.directory().join(&uids[0]).join("log");
    let line = eventually("the runtime has keys", || async {
        let log = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        let line = log.lines().find(|line| line.contains("session keys received"));
        line.map(ToOwned::to_owned).ok_or_else(|| "not yet".to_owned())
    })
    .await;
    assert!(line.contains("[1]"), "{line}");
}
