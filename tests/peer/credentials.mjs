// Reads the credentials of PNG and MP4 files with another implementation of C2PA than the one that wrote them, c2pa-ts
// (pure TypeScript), and says of each whether they hold. Exit code 1 if one does not.
//
//     npm install --prefix /tmp/peer @trustnxt/c2pa-ts@0.9.4 && cp tests/peer/credentials.mjs /tmp/peer
//     node /tmp/peer/credentials.mjs out/frames/*.png out/rollout.mp4

import * as fs from 'node:fs/promises';
import { BMFF, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore, ValidationResult } from '@trustnxt/c2pa-ts/manifest';

// MP4 and HEIF are one box format; the reader's list of brands names pictures alone.
BMFF.canReadBrands.add('iso5');

for (const path of process.argv.slice(2)) {
    const bytes = await fs.readFile(path);
    let result;
    try {
        const asset = PNG.canRead(bytes) ? new PNG(bytes) : new BMFF(bytes);
        const store = ManifestStore.read(SuperBox.fromBuffer(asset.getManifestJUMBF()));
        result = await store.validate(asset);
    } catch (error) {
        result = ValidationResult.fromError(error);
    }
    const bad = result.statusEntries.filter(entry => !entry.success).map(entry => entry.code);
    console.log(`${path}: ${result.isValid ? 'valid' : `NOT VALID: ${bad}`}`);
    if (!result.isValid) process.exitCode = 1;
}
