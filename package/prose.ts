/** The README and the changelog as npm shows them, where links lead to files of the package alone. */

/** A link or an image: its sign, its text and its target. */
const LINK = /(!?)\[([^\]]*)\]\(([^)\s]+)\)/g;

/** Stands before the first heading of the second level. */
const NOTE = `Files that this page names are in the project's repository.\n\n`;

/**
 * Writes the names of files in place of the links to them that would be dead, and leaves out images.
 * @param files paths of the package's files
 */
export function withoutDeadLinks(text: string, files: ReadonlySet<string>): string {
  const linked = text.replace(
    LINK,
    (link, image: string, words: string, target: string) => {
      const [path = ""] = target.split("#");
      if (/^https?:/.test(target) || path === "" || files.has(path)) return link;
      if (image) return "";
      return words === path ? path : `${words} (${path})`;
    },
  );
  // An image alone leaves an empty paragraph.
  return linked.replace(/\n{3,}/g, "\n\n").replace(/^(?=## )/m, NOTE);
}
