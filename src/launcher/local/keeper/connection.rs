//! The keeper's side of the socket: who may speak, in which version, and lines to and from messages.
//!
//! The newest connection is the scheduler's; what an older one still had to say is not heard, for the new one may have
//! asked about it already.

use std::io;
use std::rc::Rc;

use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Event;
use crate::launcher::local::protocol::{
    Greeting, LINE_BYTES_MAX, Settings, ToKeeper, ToLauncher, VERSION, line,
};

/// Messages written at once.
const BATCH: usize = 256;

/// Lets in who may speak, for ever.
pub(super) async fn accept(listener: Rc<UnixListener>, events: UnboundedSender<Event>) {
    let mut id = 0;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                id += 1;
                tokio::task::spawn_local(serve(id, stream, events.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely; commands will end and give theirs back.
                tracing::warn!("cannot accept a connection: {error}");
                crate::clock::pause(crate::model::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(id: u64, stream: UnixStream, events: UnboundedSender<Event>) {
    let own = geteuid().as_raw();
    match stream.peer_cred().map(|peer| peer.uid()) {
        Ok(uid) if uid == own || uid == 0 => {}
        Ok(uid) => return tracing::warn!("refused a connection by user {uid}"),
        Err(error) => return tracing::warn!("refused a connection by nobody knows whom: {error}"),
    }
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    match greet(&mut reader).await {
        Ok(settings) => {
            let (to_launcher, lines) = unbounded_channel();
            tokio::task::spawn_local(write(writer, lines));
            if events.send(Event::Greeted { id, settings, to_launcher }).is_err() {
                return;
            }
        }
        Err(reason) => {
            tracing::warn!("refused a connection: {reason}");
            let _ = writer.write_all(&line(&ToLauncher::Refused { reason })).await;
            return;
        }
    }
    while let Some(message) = next(&mut reader).await {
        if events.send(Event::Order { id, message }).is_err() {
            return;
        }
    }
    let _ = events.send(Event::Closed { id });
}

/// Reads the hello; the error is for the other side's eyes.
async fn greet(reader: &mut BufReader<OwnedReadHalf>) -> Result<Settings, String> {
    let bytes = read_line(reader)
        .await
        .map_err(|error| error.to_string())?
        .ok_or_else(|| "no hello".to_owned())?;
    let version = serde_json::from_slice::<Greeting>(&bytes)
        .map_err(|error| format!("no hello but `{error}`"))?
        .hello
        .version;
    if version != VERSION {
        return Err(format!(
            "the keeper that runs here (process {}) speaks version {VERSION} of its protocol and this scheduler \
             version {version}: let its runs end, then it leaves and a new one is started; or start the version that \
             started it",
            std::process::id()
        ));
    }
    match serde_json::from_slice(&bytes) {
        Ok(ToKeeper::Hello { version: _, settings }) => Ok(settings),
        Ok(_) => Err("the first line is no hello".to_owned()),
        Err(error) => Err(format!("the hello cannot be read: {error}")),
    }
}

async fn next(reader: &mut BufReader<OwnedReadHalf>) -> Option<ToKeeper> {
    let line = match read_line(reader).await {
        Ok(line) => line?,
        Err(error) => {
            tracing::warn!("the connection broke: {error}");
            return None;
        }
    };
    // Ending the connection makes the scheduler ask again about everything; skipping a line would lose it silently.
    serde_json::from_slice(&line)
        .inspect_err(|error| tracing::error!("cannot read an order: {error}"))
        .ok()
}

/// One line without its end; `None` at the end of the connection, where half a line is none.
async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
    if line.pop() == Some(b'\n') {
        return Ok(Some(line));
    }
    if line.len() as u64 + 1 >= LINE_BYTES_MAX {
        return Err(io::Error::other(format!("a line is longer than {LINE_BYTES_MAX} bytes")));
    }
    Ok(None)
}

async fn write(mut writer: OwnedWriteHalf, mut messages: UnboundedReceiver<ToLauncher>) {
    let mut batch = Vec::with_capacity(BATCH);
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        let bytes: Vec<u8> = batch.drain(..).flat_map(|message| line(&message)).collect();
        if writer.write_all(&bytes).await.is_err() {
            // The reader sees the end as well and tells.
            return;
        }
    }
}
