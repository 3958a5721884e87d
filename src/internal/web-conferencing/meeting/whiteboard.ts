import { whiteboard } from '#protocols/psom';
import type { Annotations } from './annotations.ts';
import type { Content } from './content.ts';
import { bounds } from './limits.ts';
import { type AnyObject, type Calls, type Room, type Seat, SharedObject } from './shared-object.ts';

/** Nothing but pages to draw on. */
export class Whiteboard extends SharedObject<typeof whiteboard.server, typeof whiteboard.client> {
  readonly annotations: Annotations;
  readonly #content: Content;

  constructor(content: Content, room: Room, annotations: Annotations) {
    super(whiteboard, room);
    this.#content = content;
    this.annotations = annotations;
  }
  hasPage(page: number): boolean {
    return page >= 1 && page <= bounds.pages;
  }
  override isFor(seat: Seat): boolean {
    return this.#content.isFor(seat);
  }
  override child(name: string): AnyObject | undefined {
    return name === 'annotationContainer' ? this.annotations : undefined;
  }
  override replay(seat: Seat): void {
    this.to(seat).cConnectCompleted();
  }
  protected readonly calls: Calls<typeof whiteboard.server> = {};
}
