import { declareInterface } from '../objects/interface.ts';

/** Takes files in ([MS-PSOM] §3.1.4.1.8); the stream is an object that the server connects below it. */
export const uploadManager = declareInterface({
  name: 'UploadManager',
  version: 2,
  server: {
    /** A hand-out, whose file name is the title reserved with this cookie. Nothing is packed here: both lengths are the file's. */
    sRequestUpload: ['Int64 packedLength', 'Int64 unpackedLength', 'Int32 cookie'],
    sUploadFinished: ['Int32 cookie', 'Boolean cancel'],
    /** The image of one slide (from 1) of slides that one created; cookie is any that is not in use. Ours. */
    sRequestSlideUpload: ['Int64 contentId', 'Int32 slide', 'Int64 length', 'Int32 cookie'],
  },
  client: {
    cAcceptUpload: ['Int32 cookie', 'DistributedObject stream'],
    /** reason, here and below: 0 done, 1 too large, 2 no space, 3 not allowed, 4 wrong length, 5 wrong content, 6 cancelled, 7 too many. */
    cRejectUpload: ['Int32 cookie', 'Int32 reason'],
    cSetAvailableSpace: ['Int64 bytes'],
    cUploadFinished: ['Int32 cookie', 'Int32 reason'],
  },
});

/** Ours: the original's stream object is not published. At most the granted bytes are under way. */
export const uploadStream = declareInterface({
  name: 'UploadStream',
  version: 1,
  server: {
    sWrite: ['Byte[] chunk'],
  },
  client: {
    /** Bytes that may be written in addition. */
    cGrant: ['Int32 bytes'],
  },
});
