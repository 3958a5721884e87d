import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy } from 'pdfjs-dist';
import worker from 'pdfjs-dist/build/pdf.worker.min.mjs?url';

GlobalWorkerOptions.workerSrc = worker;

/** Of a slide image, pixels: sharp on a large screen, and small enough for a slow line. */
const WIDTH = 1_600;
const HIGHEST = 2_400;
const QUALITY = 0.88;
const MOST_PAGES = 500;

/** The pages of a PDF as JPEG images, made here in the presenter's browser: the server never reads a PDF. */
export async function openPdf(file: File) {
  const loading = getDocument({
    data: new Uint8Array(await file.arrayBuffer()),
    // The policy of the page forbids code made from text, and compiled modules with it.
    ...{ useWasm: false, enableXfa: false, stopAtErrors: false },
    standardFontDataUrl: '/pdf/fonts/',
    wasmUrl: '/pdf/decoders/',
  });
  const pdf = await loading.promise;
  return {
    pages: Math.min(pdf.numPages, MOST_PAGES),
    page: (number: number) => drawPage(pdf, number),
    close: () => loading.destroy(),
  };
}

async function drawPage(pdf: PDFDocumentProxy, number: number): Promise<Blob> {
  const page = await pdf.getPage(number);
  const natural = page.getViewport({ scale: 1 });
  const scale = Math.min(WIDTH / natural.width, HIGHEST / natural.height);
  const viewport = page.getViewport({ scale });
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(viewport.width);
  canvas.height = Math.round(viewport.height);
  await page.render({ canvas, viewport, background: '#ffffff' }).promise;
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  page.cleanup();
  canvas.width = 0;
  if (blob === null) throw new Error('the page cannot be drawn');
  return blob;
}
