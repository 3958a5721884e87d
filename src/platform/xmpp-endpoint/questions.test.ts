import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Questions } from './questions.ts';

/** How many of `most` questions find a place. */
function asks(
  questions: Questions,
  most: number,
  source: (one: number) => string,
  partner: (one: number) => string,
) {
  let admitted = 0;
  for (let one = 0; one < most; one++) {
    if (questions.admit({ source: source(one), partner: partner(one) }, 20)) admitted += 1;
  }
  return admitted;
}

test('X1, X4: one source that asserts the domain of a partner leaves places for whoever it is', () => {
  const questions = new Questions(200);
  assert.equal(
    asks(
      questions,
      100,
      () => 'stranger',
      () => 'a.example',
    ),
    10,
  );
  assert.equal(questions.admit({ source: 'partner', partner: 'a.example' }, 20), true);
});

test('X1, X4: one source that asserts every domain leaves half of the places', () => {
  const questions = new Questions(200);
  assert.equal(
    asks(
      questions,
      1000,
      () => 'stranger',
      (one) => `${one % 50}.example`,
    ),
    100,
  );
  assert.equal(questions.admit({ source: 'partner', partner: '7.example' }, 20), true);
});

test('X1, X4: a domain that many sources assert does not keep other domains waiting', () => {
  const questions = new Questions(20);
  assert.equal(
    asks(
      questions,
      100,
      (one) => `stranger ${one}`,
      () => 'a.example',
    ),
    10,
  );
  assert.equal(questions.admit({ source: 'partner', partner: 'b.example' }, 20), true);
});

test('an answer gives the place back; a single place can be had', () => {
  const questions = new Questions(1);
  const question = { source: 'a', partner: 'a.example' };
  assert.equal(questions.admit(question, 1), true);
  assert.equal(questions.admit({ source: 'b', partner: 'b.example' }, 1), false);
  questions.leave(question);
  assert.equal(questions.size, 0);
  assert.equal(questions.admit({ source: 'b', partner: 'b.example' }, 1), true);
});
