//! The loop with a store in memory and a launcher that ends every task at once: what the feed tells of it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::feed::{FEED_ITEMS_MAX, Feed};
use super::*;
use crate::engine::glance::{Counts, Kind, Live, LiveJobs, Marks, Tally};
use crate::engine::{Abilities, FeedEvent, FeedItem, JobStep, RunStep};
use crate::metrics::Metrics;
use crate::model::{
    AgentId, Defaults, Dialect, Exit, Intervention, JobDraft, JobName, NameRule, OfferId,
    OfferKind, PauseScope, Resources, RunId, Scalar, ScheduleTerms, Shadow, TaskReport, TaskStatus,
    Verdict, When,
};
use crate::schedule::ZoneDb;
use crate::store::{Error, MemoryStore};

/// A store that can be made to hold a commit up, and to lose the answer of one that it has carried out.
#[derive(Debug)]
struct Gate {
    store: MemoryStore,
    open: Semaphore,
    /// Has a permit for each commit that has begun.
    begun: Semaphore,
    loses_answer: AtomicBool,
}

impl Store for Gate {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, Error>> {
        self.store.load()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        async move {
            self.begun.add_permits(1);
            drop(self.open.acquire().await.unwrap());
            self.store.commit(batch).await?;
            if self.loses_answer.swap(false, Ordering::SeqCst) {
                let fenced = Error::Fenced { offered: Term(1), stored: Term(2) };
                return Err(CommitError::Unknown(fenced));
            }
            Ok(())
        }
        .boxed()
    }
}

/// A launcher whose tasks start and succeed as soon as they are asked for.
#[derive(Debug)]
struct Instant(Mutex<mpsc::UnboundedSender<Notice>>);

impl Launcher for Instant {
    fn perform(&self, order: Order) {
        match order {
            Order::Launch(launch) => {
                let started_at = clock::wall();
                let ended = TaskStatus::Ended {
                    exit: Exit::Code(0),
                    started_at: None,
                    ended_at: started_at,
                };
                for status in [TaskStatus::Running { started_at }, ended] {
                    let report = TaskReport { task_id: launch.task_id.clone(), status };
                    self.0.lock().unwrap().send(Notice::Report(report)).unwrap();
                }
            }
            Order::Kill { .. }
            | Order::Reconcile(_)
            | Order::Acknowledge(_)
            | Order::Release(_)
            | Order::ReleaseAll
            | Order::Demand(_)
            | Order::Settled { .. } => {}
        }
    }
}

struct House {
    store: Arc<Gate>,
    notices: mpsc::UnboundedSender<Notice>,
    handle: Handle,
    view: Arc<View>,
    driver: tokio::task::JoinHandle<()>,
}

fn settings() -> Settings {
    Settings {
        defaults: Defaults::default(),
        retry_delay: Duration::from_secs(60),
        disable_after_failures: 0,
        max_jobs: 200_000,
        kill_grace: Duration::from_secs(5),
        abilities: Abilities {
            only_user: None,
            run_as: None,
            containers: false,
            executors: false,
            ports: false,
        },
        alerts: crate::alerts::Terms::default(),
        zones: ZoneDb::bundled(),
        machine: Err("nobody asks".to_owned()),
    }
}

impl House {
    async fn begin(store: Arc<Gate>) -> Self {
        let (notices, notices_in) = mpsc::unbounded_channel();
        let launcher = Arc::new(Instant(Mutex::new(notices.clone())));
        let metrics = Arc::new(Metrics::new(crate::clock::boot));
        let begun =
            Driver::begin(store.clone(), launcher, notices_in, Arc::new(settings()), metrics).await;
        let (driver, handle, view) = begun.unwrap();
        let house = Self { store, notices, handle, view, driver: tokio::spawn(driver.run()) };
        house.connect();
        house
    }

    async fn new() -> Self {
        Self::begin(Arc::new(Gate {
            store: MemoryStore::new(),
            open: Semaphore::new(1),
            begun: Semaphore::new(0),
            loses_answer: AtomicBool::new(false),
        }))
        .await
    }

    fn connect(&self) {
        let plenty = Scalar::from_thousandths(8_000_000);
        let offer = Offer {
            id: OfferId::new("o1"),
            agent: AgentId::new("a1"),
            hostname: "one".to_owned(),
            attributes: Vec::new(),
            resources: Resources { cpus: plenty, mem: plenty, disk: plenty, ports: 0 },
            kind: OfferKind::Unmetered,
            unavailable_from: None,
            files_at: None,
            share: String::new(),
        };
        self.notices
            .send(Notice::Connected { offers: vec![offer], term: Term(0), framework: None })
            .unwrap();
    }

    fn feed(&self) -> &Arc<Feed> {
        self.view.feed()
    }

    async fn ask(&self, request: Request) -> Reply {
        self.handle.ask(request).await.unwrap()
    }

    async fn put(&self, job: &str) {
        let reply = self.ask(put(job)).await;
        assert!(matches!(reply, Reply::Stored { .. }), "{reply:?}");
    }

    /// Runs a job, and waits until the feed tells that it is over.
    async fn run(&self, job: &str) -> RunId {
        let reply = self.ask(Request::RunJob { name: name(job), ask: Box::default() }).await;
        let Reply::Triggered { run } = reply else { panic!("{reply:?}") };
        let is_its_end = |event: &Arc<FeedEvent>| matches!(&event.item, FeedItem::Run { run: found, step: RunStep::Ended { .. }, .. } if *found == run);
        let mut number = 0;
        loop {
            let events = self.feed().after(number, usize::MAX).unwrap();
            if events.iter().any(is_its_end) {
                return run;
            }
            number = events.last().map_or(number, |event| event.number);
            self.feed().grown(number).await;
        }
    }

    async fn stop(self) -> Arc<Gate> {
        self.handle.stop().await;
        self.driver.await.unwrap();
        self.store
    }
}

fn name(text: &str) -> JobName {
    JobName::parse(text, NameRule::Blanks).unwrap()
}

fn put(job: &str) -> Request {
    let terms = ScheduleTerms::plain("R/2100-01-01T00:00:00Z/P1D", "");
    let mut draft = JobDraft::new(name(job), When::Schedule(terms));
    draft.command = Some("echo hush".to_owned());
    Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 }
}

/// What the items of one run say of it, in their order.
fn steps(events: &[Arc<FeedEvent>], wanted: RunId) -> Vec<RunStep> {
    let step = |event: &Arc<FeedEvent>| match &event.item {
        FeedItem::Run { run, step, .. } if *run == wanted => Some(step.clone()),
        FeedItem::Run { .. }
        | FeedItem::TermBegan(_)
        | FeedItem::Job { .. }
        | FeedItem::RoundMoved { .. }
        | FeedItem::StretchStored { .. }
        | FeedItem::StretchVoided { .. }
        | FeedItem::EverythingPaused { .. }
        | FeedItem::BackfillMoved { .. }
        | FeedItem::ClockDoubted { .. }
        | FeedItem::Launcher { .. }
        | FeedItem::IncidentMoved { .. }
        | FeedItem::NotificationMoved { .. }
        | FeedItem::ZoneKept { .. } => None,
    };
    events.iter().filter_map(step).collect()
}

fn revisions(state: &State) -> BTreeMap<JobName, u64> {
    state.jobs().map(|entry| (entry.job.name.clone(), entry.revision)).collect()
}

/// Builds with debug assertions compare the tally with the state after every batch; this says what they must have seen.
#[tokio::test]
async fn the_tally_follows_the_state() {
    let house = House::new().await;
    let counts = |house: &House| {
        let state = house.view.read();
        let tally = house.view.tally();
        assert_eq!(tally, Tally::of(&state));
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let counts = tally.counts(&LiveJobs::of(&state, now), now);
        let mut sifted = Counts::default();
        for entry in state.jobs() {
            sifted.add(&Marks::of(entry), Live::default(), now);
        }
        assert_eq!(counts, sifted);
        Kind::ALL
            .into_iter()
            .filter(|kind| counts.of(*kind) > 0)
            .map(|kind| format!("{} {}", counts.of(kind), kind.as_str()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(counts(&house), "");
    for job in ["a", "b", "c"] {
        house.put(job).await;
    }
    assert_eq!(counts(&house), "3 fresh");
    house.run("a").await;
    assert_eq!(counts(&house), "2 fresh, 1 succeeding");
    let by = Intervention { by: "kim".into(), at: clock::wall(), reason: String::new() };
    let scope = PauseScope::Job(name("b"));
    house.ask(Request::Pause { scope: scope.clone(), until: None, by: by.clone() }).await;
    assert_eq!(counts(&house), "1 paused, 2 fresh, 1 succeeding");
    for (shadow, expected) in [
        (Shadow::On, "1 paused, 1 shadow, 2 fresh, 1 succeeding"),
        (
            Shadow::Until("2030-01-01T00:00:00.001Z".parse().unwrap()),
            "1 paused, 1 shadow, 2 fresh, 1 succeeding",
        ),
        (Shadow::Until("2030-01-01T00:00:00Z".parse().unwrap()), "1 paused, 2 fresh, 1 succeeding"),
    ] {
        house.ask(Request::DeleteJob { name: name("c"), by: None }).await;
        let Request::PutJob { mut draft, dialect } = put("c") else { unreachable!() };
        draft.shadow = Some(shadow);
        house.ask(Request::PutJob { draft, dialect }).await;
        assert_eq!(counts(&house), expected);
    }
    let Request::PutJob { mut draft, dialect } = put("a") else { unreachable!() };
    draft.disabled = Some(true);
    house.ask(Request::PutJob { draft, dialect }).await;
    house.ask(Request::Resume { scope, by }).await;
    assert_eq!(counts(&house), "1 disabled, 2 fresh, 1 succeeding");
    let store = house.stop().await;
    let house = House::begin(store).await;
    assert_eq!(counts(&house), "1 disabled, 2 fresh, 1 succeeding");
    for job in ["a", "b", "c"] {
        house.ask(Request::DeleteJob { name: name(job), by: None }).await;
    }
    assert_eq!(counts(&house), "");
    house.stop().await;
}

#[tokio::test]
async fn the_feed_tells_every_committed_change_once_and_in_order() {
    let house = House::new().await;
    // Somebody who listens all the while hears the same as somebody who asks at the end.
    let (feed, listened) = (house.feed().clone(), Arc::new(Mutex::new(Vec::new())));
    let ears = listened.clone();
    let listener = tokio::spawn(async move {
        let mut number = 0;
        loop {
            for event in feed.after(number, 3).unwrap() {
                number = event.number;
                let is_last = matches!(&event.item, FeedItem::Job { job, step: JobStep::Deleted, .. } if job.as_str() == "last");
                ears.lock().unwrap().push(event);
                if is_last {
                    return;
                }
            }
            feed.grown(number).await;
        }
    });
    let mut runs = Vec::new();
    for index in 0..20 {
        let job = format!("job {}", index % 7);
        house.put(&job).await;
        runs.push(house.run(&job).await);
    }
    house.ask(Request::DeleteJob { name: name("job 3"), by: None }).await;
    house.put("last").await;
    house.ask(Request::DeleteJob { name: name("last"), by: None }).await;
    listener.await.unwrap();

    let events = house.feed().after(0, FEED_ITEMS_MAX).unwrap();
    assert_eq!(*listened.lock().unwrap(), events);
    let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=house.feed().end()).collect::<Vec<_>>());
    for run in runs {
        let told = steps(&events, run);
        assert!(matches!(told.first(), Some(RunStep::Recorded { .. })), "{told:?}");
        let ends = RunStep::Ended { verdict: Verdict::Succeeded, at: Timestamp::MIN };
        let words: Vec<_> = told.iter().map(std::mem::discriminant).collect();
        assert_eq!(words.last(), Some(&std::mem::discriminant(&ends)), "{told:?}");
        let is_new = |index: usize| !words[..index].contains(&words[index]);
        assert!((0..words.len()).all(is_new), "{told:?}");
        for expected in [
            RunStep::Placed { attempt: 0 },
            RunStep::Started { attempt: 0, at: Timestamp::MIN },
            RunStep::AttemptEnded { attempt: 0, at: Timestamp::MIN, exit: None },
        ] {
            assert!(words.contains(&std::mem::discriminant(&expected)), "{expected:?}: {told:?}");
        }
    }
    // The jobs that are there, as somebody knows them who has only listened.
    let mut known = BTreeMap::new();
    for event in &events {
        if let FeedItem::Job { job, step, .. } = &event.item {
            match step {
                JobStep::Created { revision, .. } => {
                    assert_eq!(known.insert(job.clone(), *revision), None);
                }
                JobStep::Replaced { revision, .. } => {
                    assert_eq!(known.insert(job.clone(), *revision), Some(revision - 1));
                }
                JobStep::Deleted => assert!(known.remove(job).is_some()),
                JobStep::Disabled
                | JobStep::Quarantined
                | JobStep::Released
                | JobStep::Paused { .. }
                | JobStep::Resumed
                | JobStep::SkipsChanged
                | JobStep::OriginChanged => {}
            }
        }
    }
    let there = revisions(&house.view.read());
    assert_eq!(known, there);
    assert!(!format!("{events:?}").contains("hush"), "a command is nobody's news");
    // Whoever has heard up to any of them hears the rest.
    for number in 0..=house.feed().end() {
        let heard = usize::try_from(number).unwrap();
        assert_eq!(house.feed().after(number, FEED_ITEMS_MAX).unwrap(), events[heard..]);
    }
    house.stop().await;
}

#[tokio::test]
async fn nothing_is_told_before_it_is_durable() {
    let house = House::new().await;
    house.put("a").await;
    let shut = house.store.open.acquire().await.unwrap();
    // Commits that began before the gate was shut are through by the time this one holds it.
    while let Ok(begun) = house.store.begun.try_acquire() {
        begun.forget();
    }
    let before = house.feed().end();
    let handle = house.handle.clone();
    let asked = tokio::spawn(async move { handle.ask(put("b")).await });
    house.store.begun.acquire().await.unwrap().forget();
    assert_eq!(house.feed().end(), before);
    assert!(house.view.read().job(&name("b")).is_none());
    drop(shut);
    asked.await.unwrap().unwrap();
    // Told by the time of the answer, and visible by then.
    let told = house.feed().after(before, FEED_ITEMS_MAX).unwrap();
    let is_created = |event: &Arc<FeedEvent>| matches!(&event.item, FeedItem::Job { job, step: JobStep::Created { .. }, .. } if *job == name("b"));
    assert_eq!(told.iter().filter(|event| is_created(event)).count(), 1, "{told:?}");
    house.stop().await;
}

#[tokio::test]
async fn after_a_commit_of_which_nobody_knows_the_outcome_readers_are_told_that_they_missed_something()
 {
    let house = House::new().await;
    house.put("a").await;
    let before = house.feed().end();
    house.store.loses_answer.store(true, Ordering::SeqCst);
    house.handle.ask(put("b")).await.unwrap_err();
    house.feed().grown(before).await;
    for number in 0..=before {
        assert_eq!(house.feed().after(number, 1), None, "{number}");
    }
    // It was stored after all, which nobody was told; what follows is told again.
    let end = house.feed().end();
    while let Err(error) = house.handle.ask(put("c")).await {
        assert!(error.reason.contains("cannot be stored"), "{error}");
        house.feed().grown(before).await;
        tokio::task::yield_now().await;
    }
    assert!(house.view.read().job(&name("b")).is_some());
    let told = house.feed().after(end, FEED_ITEMS_MAX).unwrap();
    assert!(told.iter().any(|event| event.item.job() == Some(&name("c"))), "{told:?}");
    house.stop().await;
}

#[tokio::test]
async fn another_process_has_another_feed() {
    let house = House::new().await;
    house.put("a").await;
    let first = house.feed().name();
    let store = house.stop().await;
    let house = House::begin(store).await;
    assert_ne!(house.feed().name(), first);
    house.stop().await;
    // Also if the same term begins once more, as after an older state was restored.
    let [a, b] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]
        .map(|at| Feed::new(Term(3), at.parse().unwrap(), 1).name());
    assert_ne!(a, b);
}

#[tokio::test]
async fn a_launcher_that_goes_and_comes_is_told_once_each() {
    let house = House::new().await;
    let problems = |events: &[Arc<FeedEvent>]| -> Vec<Option<String>> {
        let problem = |event: &Arc<FeedEvent>| match &event.item {
            FeedItem::Launcher { problem } => Some(problem.clone()),
            FeedItem::Run { .. }
            | FeedItem::TermBegan(_)
            | FeedItem::Job { .. }
            | FeedItem::RoundMoved { .. }
            | FeedItem::StretchStored { .. }
            | FeedItem::StretchVoided { .. }
            | FeedItem::EverythingPaused { .. }
            | FeedItem::BackfillMoved { .. }
            | FeedItem::ClockDoubted { .. }
            | FeedItem::IncidentMoved { .. }
            | FeedItem::NotificationMoved { .. }
            | FeedItem::ZoneKept { .. } => None,
        };
        events.iter().filter_map(problem).collect()
    };
    house.notices.send(Notice::Disconnected { reason: "unplugged".to_owned() }).unwrap();
    house.connect();
    // New offers are no news.
    house.connect();
    house.put("a").await;
    house.run("a").await;
    let events = house.feed().after(0, FEED_ITEMS_MAX).unwrap();
    assert_eq!(problems(&events), [None, Some("unplugged".to_owned()), None]);
    house.stop().await;
}

fn items(from: u64, count: u64) -> Vec<FeedItem> {
    (from..from + count).map(|number| FeedItem::TermBegan(Term(number))).collect()
}

fn ring(items_max: usize) -> Feed {
    Feed::new(Term(1), Timestamp::UNIX_EPOCH, items_max)
}

#[test]
fn what_has_left_the_ring_is_never_left_out_silently() {
    let feed = ring(10);
    feed.tell(Timestamp::UNIX_EPOCH, items(1, 25));
    assert_eq!(feed.end(), 25);
    for number in 0..15 {
        assert_eq!(feed.after(number, 100), None, "{number}");
    }
    for number in 15..=25 {
        let told = feed.after(number, 100).unwrap();
        let numbers: Vec<u64> = told.iter().map(|event| event.number).collect();
        assert_eq!(numbers, (number + 1..=25).collect::<Vec<_>>());
        assert!(told.iter().all(|it| it.item == FeedItem::TermBegan(Term(it.number))));
    }
    assert_eq!(feed.after(26, 100), None, "nobody was ever told of that one");
    assert_eq!(feed.after(15, 3).unwrap().len(), 3);
}

proptest! {
    /// Against a model that keeps everything: whatever happens, a reader gets the next items without a gap, or is told.
    #[test]
    fn a_reader_has_everything_or_is_told_that_it_has_not(
        acts in proptest::collection::vec(prop_oneof![
            4 => (1..5_u64).prop_map(Some),
            1 => Just(None),
        ], 0..30),
        number in 0..60_u64,
    ) {
        let feed = ring(8);
        let mut told: Vec<u64> = Vec::new();
        let (mut end, mut cut_at) = (0, 0);
        for act in acts {
            match act {
                Some(count) => {
                    feed.tell(Timestamp::UNIX_EPOCH, items(end + 1, count));
                    told.extend(end + 1..=end + count);
                    end += count;
                }
                None => {
                    feed.cut();
                    end += 1;
                    cut_at = end;
                }
            }
        }
        prop_assert_eq!(feed.end(), end);
        let rest: Vec<u64> = told.into_iter().filter(|told| *told > number).collect();
        let is_whole = number <= end && number >= cut_at && rest.len() <= 8;
        let found = feed.after(number, 100);
        let found = found.map(|found| found.iter().map(|it| it.number).collect::<Vec<_>>());
        prop_assert_eq!(found, is_whole.then_some(rest));
    }
}
