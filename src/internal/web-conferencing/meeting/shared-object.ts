import {
  type Arguments,
  type DistributedInterface,
  type Methods,
  type ParameterValue,
  SharedCall,
} from '#protocols/psom';
import type { Participant } from './participant.ts';

/** An object of whatever interface. */
export interface AnyObject {
  readonly declared: DistributedInterface;
  isFor(seat: Seat): boolean;
  child(name: string, seat: Seat): AnyObject | undefined;
  replay(seat: Seat): void;
  handle(seat: Seat, method: string, parameters: readonly ParameterValue[]): void;
  /** A connection has disconnected it. */
  handleGone(seat: Seat): void;
}

/** One participant's connection, as a meeting sees it. */
export interface Seat {
  readonly participant: Participant;
  /** Calls the object on this connection, if it knows the object and has been told its state. */
  tell(object: AnyObject, call: SharedCall): void;
  /** As `tell`, of what passes: while it waits, another call of the same object and `key` takes its place. */
  tellPassing(object: AnyObject, key: number, call: SharedCall): void;
  /** The object is gone for this connection, with all below it. */
  drop(object: AnyObject): void;
  /** Connects an object that is this connection's alone; its proxy identifier, or undefined when there is no room for it. */
  offer(parent: AnyObject, name: string, object: AnyObject): number | undefined;
  /** Says what there is to say, and closes. */
  end(): void;
}

/** Who hears what is said of an object. */
export interface Room {
  seats(): Iterable<Seat>;
}

/** Methods of one side as functions. */
export type Voice<M extends Methods> = {
  readonly [name in keyof M]: (...parameters: Arguments<M[name]>) => void;
};
/** Methods that participants call. */
export type Calls<M extends Methods> = {
  readonly [name in keyof M]: (seat: Seat, ...parameters: Arguments<M[name]>) => void;
};

/** An object of a meeting: one for all connections, each of which knows it by an identifier of its own. */
export abstract class SharedObject<S extends Methods, C extends Methods> implements AnyObject {
  readonly declared: DistributedInterface<S, C>;
  readonly room: Room;
  readonly #everyone: Voice<C>;

  constructor(declared: DistributedInterface<S, C>, room: Room) {
    this.declared = declared;
    this.room = room;
    this.#everyone = voice(declared, (call) => {
      for (const seat of room.seats()) if (this.isFor(seat)) seat.tell(this, call);
    });
  }
  /** What its methods do; each says who may. */
  protected abstract readonly calls: Calls<S>;
  /** Whether this participant may know of it at all: asked before anything is told, and of every call. */
  abstract isFor(seat: Seat): boolean;
  /** The child of this name, for this participant. */
  child(_name: string, _seat: Seat): AnyObject | undefined {
    return undefined;
  }
  /** Tells the whole state and closes it with cConnectCompleted. */
  abstract replay(seat: Seat): void;
  handleGone(_seat: Seat): void {}

  handle(seat: Seat, method: string, parameters: readonly ParameterValue[]): void {
    if (!this.isFor(seat)) return;
    const call = this.calls[method] as ((seat: Seat, ...rest: readonly ParameterValue[]) => void) | undefined;
    call?.call(this.calls, seat, ...parameters);
  }
  /** Speaks to all who may know of it. */
  protected get everyone(): Voice<C> {
    return this.#everyone;
  }
  protected to(seat: Seat): Voice<C> {
    return voice(this.declared, (call) => seat.tell(this, call));
  }
  /** Speaks to those whom `which` names of what passes: who is slow hears the latest of each `key` only. */
  protected passing(key: number, which: (seat: Seat) => boolean): Voice<C> {
    return voice(this.declared, (call) => {
      for (const seat of this.room.seats())
        if (this.isFor(seat) && which(seat)) seat.tellPassing(this, key, call);
    });
  }
  /** Speaks to those whom `which` names. */
  protected toThose(which: (seat: Seat) => boolean): Voice<C> {
    return voice(this.declared, (call) => {
      for (const seat of this.room.seats()) if (this.isFor(seat) && which(seat)) seat.tell(this, call);
    });
  }
}

/** Says one call; of each interface there is one such class, so that a voice is as cheap as it is short-lived. */
class Speaker {
  readonly say: (call: SharedCall) => void;
  constructor(say: (call: SharedCall) => void) {
    this.say = say;
  }
}
const speakers = new WeakMap<DistributedInterface, typeof Speaker>();

function speakerOf(declared: DistributedInterface): typeof Speaker {
  const known = speakers.get(declared);
  if (known !== undefined) return known;
  const made = class extends Speaker {};
  for (const method of Object.keys(declared.client)) {
    Object.defineProperty(made.prototype, method, {
      value(this: Speaker, ...parameters: readonly ParameterValue[]) {
        this.say(new SharedCall(declared, method, parameters));
      },
    });
  }
  speakers.set(declared, made);
  return made;
}

function voice<S extends Methods, C extends Methods>(
  declared: DistributedInterface<S, C>,
  say: (call: SharedCall) => void,
): Voice<C> {
  return new (speakerOf(declared))(say) as unknown as Voice<C>;
}
