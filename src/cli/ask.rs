//! Asking somebody at the terminal, one question a line; a secret is not shown while it is typed.
//!
//! INVARIANT: nothing that was typed is printed or kept.
//! INVARIANT: Ctrl-C at a question is an answer that ends the command in order: the terminal shows again what is typed,
//! and whoever asked takes away what was begun.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// What Ctrl-C types where it is no signal.
const INTERRUPTED: u8 = 3;

/// The terminal as it was, put back when this goes.
struct Asking(Option<Termios>);

impl Asking {
    /// Makes Ctrl-C end the line instead of the process, where somebody types; and stops showing a secret.
    fn now(secret: bool) -> Result<Self> {
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&input).context("le terminal")?;
        let mut asking = before.clone();
        asking.local_modes.remove(LocalModes::ISIG);
        asking.special_codes[SpecialCodeIndex::VEOL] = INTERRUPTED;
        if secret {
            asking.local_modes.remove(LocalModes::ECHO);
        }
        // Only a secret drops what was typed ahead: it would have been shown.
        let when = if secret { OptionalActions::Flush } else { OptionalActions::Now };
        tcsetattr(&input, when, &asking).context("le terminal")?;
        Ok(Self(Some(before)))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _gone_needs_nothing_back = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Room for a line, so that a secret is not moved while it grows.
const ROOM: usize = 1024;

fn answer(input: &mut dyn BufRead) -> Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(ROOM));
    loop {
        let read = match input.fill_buf() {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.context("la réponse ne peut pas être lue")?,
        };
        let ends = read.iter().position(|byte| matches!(*byte, b'\n' | INTERRUPTED));
        let (said, end) = ends.and_then(|at| read.split_at_checked(at)).unwrap_or((read, &[]));
        let (taken, end) = (said.len().saturating_add(end.len().min(1)), end.first().copied());
        if taken == 0 && line.is_empty() {
            bail!("il manque une réponse : relancez, et répondez à chaque question");
        }
        line.extend_from_slice(said);
        input.consume(taken);
        match end {
            Some(INTERRUPTED) => bail!("interrompu"),
            None if taken > 0 => {}
            None | Some(_) => break,
        }
    }
    let text = std::str::from_utf8(&line).context("la réponse ne peut pas être lue")?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// One answer.
pub(super) fn ask(input: &mut dyn BufRead, out: &mut dyn Write, question: &str) -> Result<Zeroizing<String>> {
    write!(out, "{question} : ")?;
    out.flush()?;
    let asking = Asking::now(false)?;
    let said = answer(input);
    drop(asking);
    said
}

/// One answer that is not shown.
pub(super) fn ask_hidden(
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    question: &str,
) -> Result<Zeroizing<String>> {
    write!(out, "{question} (n'est pas montré) : ")?;
    out.flush()?;
    let asking = Asking::now(true)?;
    let said = answer(input);
    drop(asking);
    writeln!(out)?;
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_line_and_ctrl_c_ends_the_command_in_order() {
        let mut typed: &[u8] = b"anne\r\n\nclaire\nsec\x03ret\nlast";
        let mut out = Vec::new();
        let mut next = |hidden| match hidden {
            true => ask_hidden(&mut typed, &mut out, "Q").map(|said| said.to_string()),
            false => ask(&mut typed, &mut out, "Q").map(|said| said.to_string()),
        };
        assert_eq!(next(false).unwrap(), "anne");
        assert_eq!(next(true).unwrap(), "");
        assert_eq!(next(true).unwrap(), "claire");
        assert!(next(true).unwrap_err().to_string().contains("interrompu"));
        assert_eq!(next(false).unwrap(), "ret");
        assert_eq!(next(false).unwrap(), "last", "without an end of line");
        assert!(next(false).unwrap_err().to_string().contains("il manque une réponse"));
        assert!(!String::from_utf8(out).unwrap().contains("claire"), "what was typed is not printed");
    }
}
