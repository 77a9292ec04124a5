// Splits a stream of bytes into lines of text.

/** Turns UTF-8 bytes into lines without their line ends; a last line needs no end. */
export class TextLineStream extends TransformStream<Uint8Array<ArrayBuffer>, string> {
  /** Starts with an empty line. */
  constructor() {
    const decoder = new TextDecoder();
    let rest = "";
    super({
      transform(bytes, controller) {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        rest += decoder.decode();
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
