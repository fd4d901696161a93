//! Asking somebody at the terminal, one question a line; a secret is not shown while it is typed.
//!
//! INVARIANT: nothing that was typed is printed or kept.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The terminal as it was, put back when this goes.
struct Hidden(Option<Termios>);

impl Hidden {
    /// Stops showing what is typed, where somebody types.
    fn now() -> Result<Self> {
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&input).context("le terminal")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Flush, &quiet).context("le terminal")?;
        Ok(Self(Some(before)))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _gone_needs_nothing_back = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        }
    }
}

fn answer(input: &mut dyn BufRead) -> Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    if input.read_line(&mut line).context("la réponse ne peut pas être lue")? == 0 {
        bail!("il manque une réponse : relancez, et répondez à chaque question");
    }
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// One answer.
pub(super) fn ask(input: &mut dyn BufRead, out: &mut dyn Write, question: &str) -> Result<Zeroizing<String>> {
    write!(out, "{question} : ")?;
    out.flush()?;
    answer(input)
}

/// One answer that is not shown.
pub(super) fn ask_hidden(
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    question: &str,
) -> Result<Zeroizing<String>> {
    write!(out, "{question} (n'est pas montré) : ")?;
    out.flush()?;
    let hidden = Hidden::now()?;
    let said = answer(input);
    drop(hidden);
    writeln!(out)?;
    said
}
