//! One stream under a clock that stands still.

use super::{KEEP_ALIVE, PACE, Stage, Stream, Subscription};
use crate::{admission::streams::Streams, catalog::edition::Edition, model::Body};
use bytes::Bytes;
use futures::FutureExt;
use http_body_util::BodyExt;
use mcpfleet_protocol::{
    Era,
    answer::Implementation,
    jsonrpc::Id,
    server::{Listen, Wanted},
};
use std::sync::Arc;
use tokio::{
    sync::watch,
    time::{Instant, advance},
};
use tokio_util::sync::CancellationToken;

struct Scene {
    edition: watch::Sender<Edition>,
    streams: Arc<Streams>,
    stopping: CancellationToken,
    subscription: Subscription,
}

impl Scene {
    fn new(subscription: Subscription) -> Self {
        let (streams, stopping) = (Streams::new(1), CancellationToken::new());
        Self { edition: watch::Sender::default(), streams, stopping, subscription }
    }

    /// A stream that has said its first word.
    async fn open(&self) -> Body {
        let stream = Stream {
            subscription: self.subscription.clone(),
            closing: self.subscription.closing(&Implementation::new("a/b", "1")),
            edition: self.edition.subscribe(),
            told: self.edition.borrow().of(self.subscription.era()),
            quiet_until: Instant::now(),
            permit: self.streams.open().unwrap(),
            stopping: self.stopping.clone(),
            stage: Stage::Opening,
        };
        let mut body = stream.into_body();
        assert_eq!(next(&mut body).await, Some(self.subscription.opening()));
        body
    }

    fn change(&self) {
        self.change_of(|_| true);
    }

    fn change_of(&self, changed: impl Fn(Era) -> bool) {
        self.edition.send_modify(|edition| *edition = edition.next(changed));
    }

    fn news(&self) -> Bytes {
        self.subscription.tools_changed()
    }
}

async fn next(body: &mut Body) -> Option<Bytes> {
    Some(body.frame().await?.unwrap().into_data().unwrap())
}

/// Whether the stream has nothing to say now.
fn silent(body: &mut Body) -> bool {
    body.frame().now_or_never().is_none()
}

fn both() -> [Scene; 2] {
    let modern = Subscription::modern(&Id::number(1), Listen { tools: Wanted::Yes, ..Listen::default() });
    [Scene::new(Subscription::legacy()), Scene::new(modern)]
}

#[tokio::test(start_paused = true)]
async fn one_change_is_told_once() {
    for scene in both() {
        let mut body = scene.open().await;
        assert!(silent(&mut body));
        scene.change();
        assert_eq!(next(&mut body).await, Some(scene.news()));
        advance(PACE).await;
        assert!(silent(&mut body));
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_other_eras_list_is_no_news() {
    for scene in both() {
        let mut body = scene.open().await;
        let own = scene.subscription.era();
        scene.change_of(|era| era != own);
        assert!(silent(&mut body));
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_told_at_its_begin_and_once_after_it() {
    for scene in both() {
        let mut body = scene.open().await;
        scene.change();
        assert_eq!(next(&mut body).await, Some(scene.news()));
        for _ in 0..20 {
            scene.change();
            assert!(silent(&mut body));
        }
        let before = Instant::now();
        assert_eq!(next(&mut body).await, Some(scene.news()));
        assert!(before.elapsed() >= PACE);
        advance(PACE).await;
        assert!(silent(&mut body));
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_told_once_of_all_that_it_missed() {
    for scene in both() {
        let mut body = scene.open().await;
        for _ in 0..5 {
            scene.change();
            advance(PACE).await;
        }
        assert_eq!(next(&mut body).await, Some(scene.news()));
        advance(PACE).await;
        assert!(silent(&mut body));
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_says_that_it_is_alive() {
    for scene in both() {
        let mut body = scene.open().await;
        for _ in 0..3 {
            let before = Instant::now();
            assert_eq!(next(&mut body).await, Some(Subscription::keep_alive()));
            assert!(before.elapsed() >= KEEP_ALIVE);
        }
        scene.change();
        assert_eq!(next(&mut body).await, Some(scene.news()));
    }
}

/// What it says last, and that its place is free then.
async fn ends(scene: Scene, mut body: Body) {
    let closing = scene.subscription.closing(&Implementation::new("a/b", "1"));
    if let Some(closing) = closing {
        assert_eq!(next(&mut body).await, Some(closing));
    }
    assert_eq!(next(&mut body).await, None);
    assert_eq!(scene.streams.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_it_as_its_era_has_it() {
    for scene in both() {
        let mut body = scene.open().await;
        assert!(silent(&mut body));
        scene.streams.drain();
        ends(scene, body).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_ends_it_too() {
    for scene in both() {
        let mut body = scene.open().await;
        assert!(silent(&mut body));
        scene.stopping.cancel();
        ends(scene, body).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_ends_it_too() {
    for mut scene in both() {
        let mut body = scene.open().await;
        assert!(silent(&mut body));
        scene.edition = watch::Sender::default();
        ends(scene, body).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_held_back_is_told_before_the_end() {
    for scene in both() {
        let mut body = scene.open().await;
        scene.change();
        assert_eq!(next(&mut body).await, Some(scene.news()));
        scene.change();
        assert!(silent(&mut body));
        scene.streams.drain();
        let last = next(&mut body).await.unwrap();
        assert!(last.starts_with(&scene.news()), "{last:?}");
        assert_eq!(next(&mut body).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_gives_its_place_back() {
    for scene in both() {
        let mut body = scene.open().await;
        assert!(silent(&mut body));
        assert_eq!(scene.streams.count(), 1);
        drop(body);
        assert_eq!(scene.streams.count(), 0);
    }
}
