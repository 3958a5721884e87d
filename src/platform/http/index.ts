export { type HttpAnswer, requestOverSocket, requestOverStream, type SocketRequest } from './client.ts';
export {
  type HttpLimits,
  type HttpRequest,
  type HttpResponse,
  HttpService,
  jsonResponse,
  textResponse,
} from './server.ts';
