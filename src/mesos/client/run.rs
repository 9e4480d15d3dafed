//! The task that owns the sockets.

use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Response, Url};
use tokio::sync::{mpsc, watch};

use super::{CALLS_MAX, Heard, Subscription};
use crate::clock;
use crate::mesos::leader::calls_of;
use crate::mesos::recordio::Decoder;
use crate::mesos::session::{Answer, Input, Login, Output, Session, subscribe};
use crate::mesos::transport::{Access, told};
use crate::mesos::wire::{Call, Event, FrameworkInfo};
use crate::mesos::zookeeper::Leader;
use crate::model;

/// How long the answer to a call may take. A master under load needs seconds.
const CALL_TIME: Duration = Duration::from_secs(30);

/// The machine may sleep while we wait, and the timer does not count that: looked at again after so long.
const LOOK_AGAIN: model::Duration = model::Duration::from_secs(5);

/// How much of an error's text is read.
const MESSAGE_MAX: usize = 2_000;

const STREAM_ID: &str = "Mesos-Stream-Id";
const JSON: &str = "application/json";

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Body = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// What is needed to speak to a master.
pub(super) struct Sockets {
    pub(super) http: reqwest::Client,
    pub(super) access: Access,
    pub(super) framework: FrameworkInfo,
    pub(super) login: Login,
}

/// The connection on which events come.
enum Connection {
    None,
    Asking(Pending<Result<(Answer, Option<Response>), String>>),
    Stream { body: Body, decoder: Decoder },
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Asking(_) => "Asking",
            Self::Stream { .. } => "Stream",
        })
    }
}

/// What came of waiting for the connection.
enum Came {
    Answer(Result<(Answer, Option<Response>), String>),
    Bytes(Option<reqwest::Result<Bytes>>),
}

impl Connection {
    /// Waits for what comes next. May be given up and begun anew at any time.
    async fn next(&mut self) -> Came {
        match self {
            Self::None => pending().await,
            Self::Asking(answer) => Came::Answer(answer.await),
            Self::Stream { body, decoder: _ } => Came::Bytes(body.next().await),
        }
    }
}

/// A call on its way.
type Flying = Pending<(Box<Call>, Result<Answer, String>)>;

struct Runner {
    session: Session,
    sockets: Sockets,
    connection: Connection,
    /// Calls that wait for those before them.
    queue: VecDeque<(Subscription, Call)>,
    flying: Option<Flying>,
    /// What is to be told, in order. While there is something nothing is read.
    outbox: VecDeque<Heard>,
}

/// Lives until nobody calls or listens any more, or another process has the framework.
pub(super) async fn run(
    session: Session,
    sockets: Sockets,
    mut leader: Option<watch::Receiver<Leader>>,
    mut calls: mpsc::UnboundedReceiver<(Subscription, Call)>,
    heard: mpsc::Sender<Heard>,
) {
    let expects_tls = sockets.access.expects_tls();
    let mut runner = Runner {
        session,
        sockets,
        connection: Connection::None,
        queue: VecDeque::new(),
        flying: None,
        outbox: VecDeque::new(),
    };
    if let Some(leader) = &mut leader {
        let known = url_of(&leader.borrow_and_update(), expects_tls);
        runner.step(Input::Leader(known));
    }
    loop {
        if runner.session.is_deposed() && runner.outbox.is_empty() {
            return;
        }
        runner.send_next();
        let is_told = runner.outbox.is_empty();
        let wait = runner.wait();
        tokio::select! {
            permit = heard.reserve(), if !is_told => match (permit, runner.outbox.pop_front()) {
                (Ok(permit), Some(next)) => {
                    permit.send(next);
                    if runner.outbox.is_empty() {
                        // Silence while we did not listen is not the master's.
                        runner.step(Input::Alive);
                    }
                }
                (Ok(_), None) => {}
                (Err(_), _) => return,
            },
            () = heard.closed() => return,
            call = calls.recv() => match call {
                Some((subscription, call)) => runner.enqueue(subscription, call),
                None => return,
            },
            known = changed(&mut leader) => runner.step(Input::Leader(url_of(&known, expects_tls))),
            came = runner.connection.next(), if is_told => runner.came(came),
            (call, answer) = flown(&mut runner.flying) => {
                runner.flying = None;
                runner.step(match answer {
                    Ok(answer) => Input::CallAnswered { call, answer },
                    Err(reason) => Input::CallLost { reason },
                });
            }
            () = clock::pause(wait), if is_told => runner.step(Input::Tick),
        }
    }
}

async fn changed(leader: &mut Option<watch::Receiver<Leader>>) -> Leader {
    if let Some(receiver) = leader
        && receiver.changed().await.is_ok()
    {
        return receiver.borrow_and_update().clone();
    }
    // Nobody watches, so nothing changes.
    pending().await
}

async fn flown(flying: &mut Option<Flying>) -> (Box<Call>, Result<Answer, String>) {
    match flying {
        Some(flying) => flying.await,
        None => pending().await,
    }
}

fn url_of(leader: &Leader, expects_tls: bool) -> Result<Url, String> {
    match leader {
        Leader::Known(info) => calls_of(info, expects_tls).ok_or_else(|| {
            "the leading master has written no address of itself into ZooKeeper that can be read; is it of Mesos 1.0 or \
             later?"
                .to_owned()
        }),
        Leader::Unknown { reason } => Err(reason.clone()),
    }
}

impl Runner {
    /// How long nothing may happen.
    fn wait(&self) -> model::Duration {
        let until = self.session.wake_at().map(|at| at.since(clock::boot()));
        // A little late rather than early: an early look would find nothing to do, and look again.
        until.map_or(LOOK_AGAIN, |wait| {
            wait.max(model::Duration::ZERO)
                .saturating_add(model::Duration::from_millis(1))
                .min(LOOK_AGAIN)
        })
    }

    fn step(&mut self, input: Input) {
        for output in self.session.step(clock::boot(), input) {
            match output {
                Output::Close => {
                    self.connection = Connection::None;
                    self.flying = None;
                    self.queue.clear();
                }
                Output::Subscribe { url, framework_id } => {
                    let sockets = &self.sockets;
                    let call =
                        subscribe(&sockets.framework, framework_id.as_deref(), &sockets.login);
                    let request = sockets.post(&url, &call).header(ACCEPT, JSON);
                    self.connection = Connection::Asking(Box::pin(ask(request)));
                }
                Output::Tell(heard) => self.outbox.push_back(heard),
            }
        }
    }

    fn came(&mut self, came: Came) {
        match came {
            Came::Answer(Ok((answer, response))) => {
                self.connection = match response {
                    Some(response) => Connection::Stream {
                        body: Box::pin(response.bytes_stream()),
                        decoder: Decoder::default(),
                    },
                    None => Connection::None,
                };
                self.step(Input::Answered(answer));
            }
            Came::Answer(Err(reason)) => {
                self.connection = Connection::None;
                self.step(Input::Unanswered { reason });
            }
            Came::Bytes(Some(Ok(piece))) => {
                self.step(Input::Alive);
                self.take(&piece);
            }
            Came::Bytes(Some(Err(error))) => self.end(told(&error)),
            Came::Bytes(None) => {
                let reason = match &self.connection {
                    Connection::Stream { body: _, decoder } => match decoder.finish() {
                        Ok(()) => "it has closed the stream".to_owned(),
                        Err(error) => error.to_string(),
                    },
                    Connection::None | Connection::Asking(_) => return,
                };
                self.end(reason);
            }
        }
    }

    /// Takes the events out of a piece of the stream.
    fn take(&mut self, piece: &[u8]) {
        let Connection::Stream { body: _, decoder } = &mut self.connection else { return };
        let mut records = Vec::new();
        let end = decoder.push(piece, &mut records);
        for record in records {
            // An event before this one may have ended the stream.
            if !matches!(self.connection, Connection::Stream { .. }) {
                return;
            }
            match serde_json::from_slice::<Event>(&record) {
                Ok(event) => self.step(Input::Event(Box::new(event))),
                Err(error) if error.is_data() => {
                    tracing::warn!(%error, "an event of the master is not understood");
                    if let Some(event) = Event::understood_in_part(&record) {
                        self.step(Input::Event(Box::new(event)));
                    }
                }
                Err(error) => self.end(format!("a record is no JSON ({error})")),
            }
        }
        if let Err(error) = end {
            self.end(error.to_string());
        }
    }

    /// The stream is over. It is not looked at again, whatever the session makes of it.
    fn end(&mut self, reason: String) {
        self.connection = Connection::None;
        self.step(Input::Ended { reason });
    }

    fn enqueue(&mut self, subscription: Subscription, call: Call) {
        if self.session.stream(subscription).is_none() {
            tracing::debug!(
                call = call.kind.as_str(),
                "a call of a subscription that has ended is dropped"
            );
            return;
        }
        if self.queue.len() >= CALLS_MAX {
            let reason = format!("{CALLS_MAX} calls wait, and it takes none");
            return self.step(Input::CallLost { reason });
        }
        self.queue.push_back((subscription, call));
    }

    /// Sends the next call if none is on its way.
    fn send_next(&mut self) {
        while self.flying.is_none()
            && let Some((subscription, call)) = self.queue.pop_front()
        {
            let Some((url, stream_id)) = self.session.stream(subscription) else { continue };
            let request =
                self.sockets.post(url, &call).header(STREAM_ID, stream_id).timeout(CALL_TIME);
            self.flying = Some(Box::pin(async move {
                let answer = ask(request).await.map(|(answer, _)| answer);
                (Box::new(call), answer)
            }));
        }
    }
}

impl Sockets {
    fn post(&self, url: &Url, call: &Call) -> reqwest::RequestBuilder {
        let body = serde_json::to_vec(call).expect("calls have texts for keys");
        // Exactly this content type: one with a character set is refused.
        let request = self.http.post(url.clone()).header(CONTENT_TYPE, JSON).body(body);
        self.access.with(request)
    }
}

/// Sends a request. The body of a 200 is left to be read.
async fn ask(request: reqwest::RequestBuilder) -> Result<(Answer, Option<Response>), String> {
    let response = request.send().await.map_err(|error| told(&error))?;
    let text_of = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let answer = Answer {
        status: response.status().as_u16(),
        stream_id: text_of(STREAM_ID),
        location: text_of(LOCATION.as_str()),
        message: String::new(),
    };
    if answer.status == 200 {
        return Ok((answer, Some(response)));
    }
    let message = message_of(response).await;
    Ok((Answer { message, ..answer }, None))
}

/// The beginning of the text of an answer. One that breaks off is as good as what there is of it.
async fn message_of(response: Response) -> String {
    let mut body = Box::pin(response.bytes_stream());
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        bytes.extend_from_slice(&piece[..piece.len().min(MESSAGE_MAX - bytes.len())]);
        if bytes.len() == MESSAGE_MAX {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
