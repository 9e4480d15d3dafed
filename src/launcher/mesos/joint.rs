//! Where orders, what the master says and the passing of time meet: one task feeds the book with all of them, so that
//! everything has one order.

use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use super::book::{Book, Out};
use crate::clock;
use crate::launcher::{Notice, Order};
use crate::mesos::client::{Heard, Subscription};
use crate::mesos::wire::Call;
use crate::model::{ClusterCounts, Duration, FrameworkId};

/// How many orders or events are taken before calls and notices go out.
const BATCH: usize = 256;
/// A sleep where there is nothing to wake for.
const LONG: Duration = Duration::from_hours(1);

/// The meeting place.
pub(super) struct Joint<Say> {
    book: Book,
    /// Takes calls to the master.
    say: Say,
    notices: UnboundedSender<Notice>,
    figures: watch::Sender<ClusterCounts>,
    /// What calls belong to.
    subscription: Option<Subscription>,
    /// Whether another process has taken the framework over, so that nothing may be said any more.
    is_deposed: bool,
}

impl<Say: FnMut(Subscription, Call)> Joint<Say> {
    pub(super) const fn new(
        book: Book,
        say: Say,
        notices: UnboundedSender<Notice>,
        figures: watch::Sender<ClusterCounts>,
    ) -> Self {
        Self { book, say, notices, figures, subscription: None, is_deposed: false }
    }

    /// Works until nobody gives orders any more.
    pub(super) async fn run(
        mut self,
        mut orders: UnboundedReceiver<Order>,
        mut heard: Receiver<Heard>,
    ) {
        let mut some_orders = Vec::with_capacity(BATCH);
        let mut some_heard = Vec::with_capacity(BATCH);
        let mut is_client_there = true;
        loop {
            let now = clock::boot();
            let pause = self.book.wake_at().map_or(LONG, |at| at.since(now).max(Duration::ZERO));
            tokio::select! {
                count = orders.recv_many(&mut some_orders, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for order in some_orders.drain(..) {
                        self.book.order(clock::now(), order);
                    }
                }
                count = heard.recv_many(&mut some_heard, BATCH), if is_client_there => {
                    is_client_there = count > 0;
                    for heard in some_heard.drain(..) {
                        self.hear(heard);
                    }
                }
                () = clock::pause(pause) => self.book.wake(clock::now()),
            }
            if self.send().is_err() {
                return;
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        let now = clock::now();
        if self.is_deposed {
            return;
        }
        match heard {
            Heard::Subscribed { subscription, framework_id, master: _ } => {
                // Calls that are due still belong to the subscription before.
                let _ = self.send();
                self.subscription = Some(subscription);
                self.book.subscribed(now, FrameworkId::new(framework_id));
            }
            Heard::Event(event) => self.book.event(now, &event),
            Heard::Lost { reason } => self.book.lost(now, reason),
            Heard::Deposed { reason } => {
                self.is_deposed = true;
                self.book.lost(now, reason);
            }
            Heard::Refused { call, status, message } => {
                tracing::warn!("the master refuses {}: {status} {message}", call.kind.as_str());
                self.book.refused(now, &call, status, &message);
            }
        }
    }

    /// Says what is to be said; fails when nobody listens to notices any more.
    fn send(&mut self) -> Result<(), ()> {
        for out in self.book.take() {
            match out {
                Out::Call(call) => {
                    if let Some(subscription) = self.subscription.filter(|_| !self.is_deposed) {
                        (self.say)(subscription, *call);
                    }
                }
                Out::Notice(notice) => self.notices.send(notice).map_err(drop)?,
            }
        }
        let figures = self.book.figures();
        self.figures.send_if_modified(|told| std::mem::replace(told, figures) != figures);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration as StdDuration;

    use tokio::sync::mpsc::{self, error::TryRecvError, unbounded_channel};

    use crate::launcher::mesos::MesosLauncher;
    use crate::launcher::mesos::book::Terms;
    use crate::launcher::{Launcher as _, Notice, Order};
    use crate::mesos::client::{Heard, Subscription};
    use crate::mesos::wire::{Call, CallType, MasterInfo};
    use crate::model::{AgentId, Duration, Question, TaskId};

    /// A launcher whose client is the test.
    struct Ends {
        launcher: MesosLauncher,
        heard: mpsc::Sender<Heard>,
        calls: mpsc::UnboundedReceiver<(Subscription, Call)>,
        notices: mpsc::UnboundedReceiver<Notice>,
    }

    fn start() -> Ends {
        let (heard, heard_in) = mpsc::channel(8);
        let (say, calls) = unbounded_channel();
        let (tell, notices) = unbounded_channel();
        let say = move |subscription, call| say.send((subscription, call)).unwrap();
        let terms = Terms { reconcile_every: Duration::from_millis(20), ..Terms::default() };
        Ends { launcher: MesosLauncher::join(terms, say, heard_in, tell), heard, calls, notices }
    }

    fn subscribed(number: u64) -> Heard {
        Heard::Subscribed {
            subscription: Subscription(number),
            framework_id: "F".to_owned(),
            master: Box::new(MasterInfo::default()),
        }
    }

    async fn next<T>(from: &mut mpsc::UnboundedReceiver<T>) -> T {
        tokio::time::timeout(StdDuration::from_secs(60), from.recv()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn orders_and_time_become_calls_of_the_subscription() {
        let mut ends = start();
        ends.heard.send(subscribed(1)).await.unwrap();
        assert!(matches!(next(&mut ends.notices).await, Notice::Connected { .. }));
        // By the clock alone.
        let (subscription, call) = next(&mut ends.calls).await;
        assert_eq!((subscription, call.kind), (Subscription(1), CallType::Reconcile));
        ends.heard.send(Heard::Lost { reason: "gone".to_owned() }).await.unwrap();
        ends.heard.send(subscribed(2)).await.unwrap();
        assert_eq!(
            next(&mut ends.notices).await,
            Notice::Disconnected { reason: "gone".to_owned() }
        );
        assert!(matches!(next(&mut ends.notices).await, Notice::Connected { .. }));
        ends.launcher.perform(Order::Reconcile(vec![Question {
            task_id: TaskId::from_text("a"),
            agent: AgentId::new("S1"),
            was_seen: true,
        }]));
        loop {
            let (subscription, call) = next(&mut ends.calls).await;
            let tasks = call.reconcile.map(|it| it.tasks).unwrap_or_default();
            if tasks.first().is_some_and(|task| task.task_id.value == "a") {
                assert_eq!(subscription, Subscription(2));
                break;
            }
        }
        let figures = ends.launcher.figures();
        assert_eq!((figures.subscriptions, figures.lost_connections), (2, 1));
    }

    #[tokio::test]
    async fn once_deposed_nothing_is_said_any_more() {
        let mut ends = start();
        ends.heard.send(subscribed(1)).await.unwrap();
        next(&mut ends.notices).await;
        ends.heard
            .send(Heard::Deposed { reason: "another has taken over".to_owned() })
            .await
            .unwrap();
        ends.heard.send(subscribed(2)).await.unwrap();
        ends.heard.send(Heard::Lost { reason: "gone".to_owned() }).await.unwrap();
        ends.launcher.perform(Order::Demand(true));
        let reason = "another has taken over".to_owned();
        assert_eq!(next(&mut ends.notices).await, Notice::Disconnected { reason });
        while ends.calls.try_recv().is_ok() {}
        // The loop ends with the launcher, and has said nothing until then.
        drop(ends.launcher);
        assert!(ends.notices.recv().await.is_none());
        assert_eq!(ends.calls.try_recv().unwrap_err(), TryRecvError::Disconnected);
    }
}
