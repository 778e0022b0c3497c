//! Decodes sequences with the plain WHATWG decoders, for `tools/generate-charsets.py`.
//!
//! Each line of the input is an encoding label and a sequence in hexadecimal; each line of the output is the text's
//! code points in hexadecimal, joined by `+`, with `FFFD` for what the encoding does not have.
#![allow(clippy::print_stdout, reason = "the answers are the program's result")]

use std::error::Error;
use std::io::{BufRead, Write};

use encoding_rs::Encoding;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (label, sequence) = line.split_once(' ').ok_or("a line is a label, a space and a sequence")?;
        let encoding = Encoding::for_label(label.as_bytes()).ok_or("an unknown label")?;
        let bytes = (0..sequence.len() / 2)
            .map(|index| u8::from_str_radix(sequence.get(index * 2..index * 2 + 2).unwrap_or_default(), 16))
            .collect::<Result<Vec<_>, _>>()?;
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        let points: Vec<_> = text.chars().map(|character| format!("{:X}", u32::from(character))).collect();
        writeln!(out, "{}", points.join("+"))?;
    }
    Ok(())
}
