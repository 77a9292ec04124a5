/** The generated types of the messages that the pages dispatch. */

/** The messages that users may dispatch, by type. */
export interface Messages {
  EmailMessage: { payload: { to: string }; result: unknown };
  ExportReport: { payload: { pages: number }; result: unknown };
  ImportReport: { payload: { file: string }; result: unknown };
  ImportRow: { payload: { row: number }; result: unknown };
  RenderVideo: { payload: { frames?: number; video?: string }; result: { url: string } };
  SendDigest: { payload: Record<string, never>; result: unknown };
  SendInvoice: { payload: { invoice: string }; result: unknown };
}
