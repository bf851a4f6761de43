//! Waiting, with tokio's paused clock.

use super::*;
use futures::FutureExt;

fn queue(concurrency: u32, queue_length: u32) -> Arc<Admission> {
    Admission::new(&bounds(concurrency, queue_length), AdmissionMetrics::default(), Arc::default())
}

fn bounds(concurrency: u32, queue_length: u32) -> Bounds {
    Bounds { concurrency, queue_length, queue_timeout_ms: 1_000, max_streams: 0 }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_permit_lets_the_next_one_in() {
    let queue = queue(1, 1);
    let first = queue.admit(None).await.unwrap();
    let mut second = Box::pin(queue.admit(None));
    assert!((&mut second).now_or_never().is_none());
    assert!(matches!(queue.admit(None).await, Err(Refused::QueueFull { .. })));
    drop(first);
    let second = second.await.unwrap();
    assert_eq!(queue.metrics.in_flight.get(), 1);
    drop(second);
    assert_eq!((queue.metrics.in_flight.get(), queue.metrics.queued.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_queue_timeout_or_the_deadline() {
    let queue = queue(1, 4);
    let _running = queue.admit(None).await.unwrap();
    assert!(matches!(queue.admit(None).await, Err(Refused::WaitedTooLong { .. })));
    let soon = Instant::now() + Duration::from_millis(10);
    assert_eq!(queue.admit(Some(soon)).await.unwrap_err(), Refused::DeadlinePassed);
    assert_eq!(queue.metrics.queued.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_the_queue_frees_the_place() {
    let queue = queue(1, 1);
    let running = queue.admit(None).await.unwrap();
    let mut waiting = Box::pin(queue.admit(None));
    assert!((&mut waiting).now_or_never().is_none());
    drop(waiting);
    let mut other = Box::pin(queue.admit(None));
    assert!((&mut other).now_or_never().is_none());
    drop(running);
    assert!(other.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_nobody_takes_is_passed_on() {
    let queue = queue(1, 2);
    let running = queue.admit(None).await.unwrap();
    let mut gone = Box::pin(queue.admit(None));
    let mut stays = Box::pin(queue.admit(None));
    assert!((&mut gone).now_or_never().is_none());
    assert!((&mut stays).now_or_never().is_none());
    drop(running);
    // `gone` has its permit by now and never looks.
    drop(gone);
    assert!(stays.now_or_never().is_some_and(|got| got.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn wider_bounds_reach_those_who_wait() {
    let queue = queue(1, 2);
    let _running = queue.admit(None).await.unwrap();
    let mut waiting = Box::pin(queue.admit(None));
    assert!((&mut waiting).now_or_never().is_none());
    queue.set_bounds(&bounds(2, 0));
    assert!(waiting.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_account_tells_running_waiting_and_blocked_apart() {
    let queue = queue(1, 1);
    let running = queue.admit(None).await.unwrap();
    let mut waiting = Box::pin(queue.admit(None));
    assert!((&mut waiting).now_or_never().is_none());
    assert!(queue.admit(None).await.is_err());
    tokio::time::advance(Duration::from_millis(300)).await;
    {
        let _blocked = running.blocked();
        assert_eq!(queue.signals(Instant::now()).blocked, 1);
        tokio::time::advance(Duration::from_millis(200)).await;
    }
    drop(running);
    let second = waiting.await.unwrap();
    tokio::time::advance(Duration::from_millis(50)).await;
    drop(second);
    let signals = queue.signals(Instant::now());
    assert_eq!((signals.running, signals.blocked, signals.queued), (0, 0, 0));
    assert_eq!((signals.running_ms, signals.queued_ms), (350, 500));
    assert_eq!((signals.finished, signals.service_ms, signals.refused), (2, 550, 1));
    assert_eq!((signals.concurrency, signals.queue_length), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_too_long_is_refused_and_one_whose_own_time_is_up_is_not() {
    let queue = queue(1, 2);
    let _running = queue.admit(None).await.unwrap();
    assert!(queue.admit(None).await.is_err());
    assert!(queue.admit(Some(Instant::now() + Duration::from_millis(10))).await.is_err());
    assert_eq!(queue.signals(Instant::now()).refused, 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_call_that_queues_is_urgent_and_others_are_not() {
    let queue = queue(1, 2);
    let _running = queue.admit(None).await.unwrap();
    assert!(!queue.news.take().urgent);
    let mut first = Box::pin(queue.admit(None));
    assert!((&mut first).now_or_never().is_none());
    assert!(queue.news.take().urgent);
    let mut second = Box::pin(queue.admit(None));
    assert!((&mut second).now_or_never().is_none());
    assert!(!queue.news.take().urgent);
}
