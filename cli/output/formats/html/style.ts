// The style sheet of the page: light and dark, from 390 px to paper, without external images, fonts or style sheets.

/** Three colours for each mark: text, background and lines. Each text has a contrast of at least 4.5:1 (WCAG 1.4.3). */
const LIGHT = `
--bg:#f4f5f8;--card:#fff;--ink:#15181d;--muted:#545e6c;--line:#e1e5ea;--link:#0a58a8;--shade:0 1px 2px rgba(20,28,40,.06),0 6px 20px rgba(20,28,40,.05);
--good:#15692c;--good-tint:#e9f6ec;--good-line:#37a157;
--warning:#855000;--warning-tint:#fff4dc;--warning-line:#d9931a;
--error:#b01e1e;--error-tint:#fdecea;--error-line:#dc4a46;
--unknown:#653bb8;--unknown-tint:#f2edfd;--unknown-line:#8f6be0;
--info:#0a58a8;--info-tint:#e9f1fb;--info-line:#4288d6;
--skipped:#545e6c;--skipped-tint:#eff1f4;--skipped-line:#a9b2be;`;

const DARK = `
--bg:#0c1016;--card:#151b23;--ink:#e8edf3;--muted:#9ca8b7;--line:#29313c;--link:#7fb9ff;--shade:none;
--good:#62d684;--good-tint:#12281b;--good-line:#2f9d52;
--warning:#f2bb4e;--warning-tint:#2b2110;--warning-line:#b3821f;
--error:#ff8d86;--error-tint:#311718;--error-line:#d4524d;
--unknown:#c4a6ff;--unknown-tint:#231a38;--unknown-line:#8765d6;
--info:#82baff;--info-tint:#13233a;--info-line:#3c76c2;
--skipped:#9ca8b7;--skipped-tint:#1b222b;--skipped-line:#4c5867;`;

const MARKS = ['good', 'warning', 'error', 'unknown', 'info', 'skipped'];

/** Variables that each mark sets for the rules below. */
const COLOURS = MARKS.map((one) => `.${one}{--c:var(--${one});--t:var(--${one}-tint);--l:var(--${one}-line)}`).join('');

const PAGE = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:1180px;margin:0 auto;padding:28px 20px 8px}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:4px}
h1,h2,h3,h4,p,dl,dd,ul{margin:0}
h1,h2{font-size:clamp(24px,4vw,34px);line-height:1.2;letter-spacing:-.015em;font-weight:680}
h3{font-size:18px;line-height:1.3;letter-spacing:-.005em}
h4{font-size:16px;line-height:1.5;font-weight:600}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875em}
.definitions{position:absolute;width:0;height:0}
.glyph{fill:none;stroke:var(--card);stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}
.icon{width:1em;height:1em;flex:none;color:var(--c)}
.pill{display:inline-flex;align-items:center;gap:.45em;padding:.16em .7em .16em .5em;border-radius:99px;background:var(--t);color:var(--c);font-size:14px;font-weight:600;line-height:1.5;white-space:nowrap}
.over{color:var(--muted);font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase}
.card,.verdict,.overview,.finding{background:var(--card);border:1px solid var(--line);border-radius:16px;box-shadow:var(--shade)}
.card,.verdict,.overview{padding:24px 28px;margin-bottom:20px}
.domain{scroll-margin-top:12px}
.domain+.domain{margin-top:56px}
.passed+.passed,.passed+.domain{margin-top:0}
.passed{margin-bottom:12px}
.passed>summary{display:flex;align-items:center;gap:12px;padding:14px 20px;background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:var(--shade)}
.passed>summary::-webkit-details-marker{display:none}
.passed>summary .icon{width:20px;height:20px}
.passed>summary b{flex:1;min-width:0}
.passed>summary span{color:var(--muted);font-size:14px;text-align:right}
.passed>.domain{margin:14px 0 40px}
footer{max-width:1180px;margin:0 auto;padding:8px 20px 36px;color:var(--muted);font-size:13px}
.left,.intro{color:var(--muted);font-size:14px}
.left{margin-top:12px}`;

const HEAD = `
.verdict{position:relative;overflow:hidden;padding-top:30px}
.verdict::before{content:"";position:absolute;inset:0 0 auto 0;height:6px;background:var(--l)}
.headline{display:flex;align-items:center;gap:18px}
.headline>.icon{width:52px;height:52px}
.headline .word{color:var(--c)}
.summary{margin-top:14px;font-size:18px;max-width:60em}
.counts{display:flex;flex-wrap:wrap;gap:8px;margin-top:14px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:16px 28px;margin-top:22px;padding-top:20px;border-top:1px solid var(--line)}
.facts dt,.finding dt{color:var(--muted);font-size:13px;font-weight:600}
.facts dd{margin-top:4px;font-weight:600;line-height:1.4}
.facts .big{font-size:18px}
.facts code.big{font-size:15px}
.facts small{display:block;margin-top:3px;color:var(--muted);font-size:13.5px;font-weight:400;line-height:1.4}
.overview h1{margin-top:2px}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:14px;margin-top:20px}
.tile{padding:14px 18px;border-radius:12px;background:var(--t);color:var(--c)}
.tile dt{display:flex;align-items:center;gap:8px;font-size:14px;font-weight:600}
.tile dd{font-size:32px;font-weight:700;line-height:1.2;letter-spacing:-.02em}
nav h2{font-size:18px;margin-bottom:10px}
.index{list-style:none;padding:0;columns:24em 2;column-gap:40px}
.index li{display:flex;align-items:baseline;gap:10px;padding:6px 0;border-bottom:1px solid var(--line);break-inside:avoid}
.index .icon{position:relative;top:2px}
.index .name{flex:1;min-width:0;font-weight:600}
.index .found{color:var(--muted);font-size:14px;text-align:right}`;

const PICTURE = `
.picture{margin:18px 0 0}
.picture ol,.picture ul{list-style:none;margin:0;padding:0}
.picture ol{display:grid;grid-template-columns:minmax(0,.85fr) minmax(0,1.1fr) minmax(0,1fr) minmax(0,1fr) minmax(0,1.3fr);gap:28px;align-items:center}
.picture ol>li{position:relative}
.picture ol>li+li::before{content:"";position:absolute;top:50%;left:-28px;width:28px;border-top:2px dotted var(--skipped-line)}
.picture h3{margin-bottom:8px;color:var(--muted);font-size:12px;letter-spacing:.06em;text-transform:uppercase}
.box{display:grid;grid-template-columns:16px minmax(0,1fr);gap:2px 9px;padding:9px 10px;border:1.5px solid var(--l);border-radius:9px;background:var(--t);font-size:12px;line-height:1.45}
.box.good{background:var(--card)}
.box+.box{margin-top:10px}
.box .icon{width:16px;height:16px;margin-top:1px}
.box code{font-size:13px;font-weight:600}
.box p{grid-column:2;color:var(--muted)}
.box b{color:var(--c);font-weight:600}
.box ul{grid-column:1/-1;margin-top:4px;border-top:1px solid var(--line)}
.box ul li{display:flex;flex-wrap:wrap;gap:0 9px;padding-top:4px}
.box ul code{flex:1 1 auto;max-width:calc(100% - 25px);font-size:11.5px;font-weight:400}
.notes{list-style:none;margin-top:18px;padding:14px 0 0;border-top:1px solid var(--line);font-size:14.5px}
.notes li{display:flex;gap:10px;padding:3px 0}
.notes .icon{margin-top:4px}`;

const FINDINGS = `
.group{margin:32px 0 24px}
.group>h3,.card>h3{margin-bottom:12px}
.finding{position:relative;overflow:hidden;padding:18px 24px 18px 28px;margin-bottom:12px;scroll-margin-top:12px}
.finding::before{content:"";position:absolute;inset:0 auto 0 0;width:5px;background:var(--l)}
.what{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;font-size:15px}
.finding h4 code,.fix code{padding:.1em .35em;border-radius:5px;background:var(--skipped-tint)}
.fix code{background:var(--card)}
.what code{font-weight:600}
.subject{color:var(--muted);font-size:14px;min-width:0}
.finding h4{margin-top:10px;max-width:66em}
.fix{margin-top:12px;padding:10px 14px;border-radius:10px;background:var(--bg);font-size:15px}
.fix b{display:block;color:var(--muted);font-size:13px}
.finding dl{margin-top:12px;font-size:14px}
.finding dl>div{display:grid;grid-template-columns:76px minmax(0,1fr);gap:12px;padding:2px 0}
.finding dl dt{line-height:1.7}
table{width:100%;border-collapse:collapse;font-size:15px;margin-top:12px}
th,td{padding:9px 16px 9px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--muted);font-size:13px;white-space:nowrap}
tbody th{font-weight:600}
tbody th>.icon{margin-right:10px;vertical-align:-2px}
tbody th>.pill{margin-right:10px}
td:last-child,th:last-child{padding-right:0}
td[data-label="Time"]{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
summary{cursor:pointer}
summary h3{display:inline}`;

const NARROW = `
@media (max-width:940px){
.picture ol{grid-template-columns:minmax(0,1fr);gap:18px}
.picture ol>li+li::before{top:-16px;left:18px;width:0;height:14px;border-top:0;border-left:2px dotted var(--skipped-line)}
}
@media (max-width:620px){
main{padding:12px 12px 4px}
.card,.verdict,.overview{padding:20px 18px;border-radius:14px}
.verdict{padding-top:26px}
.headline{align-items:flex-start;gap:14px}
.headline>.icon{width:36px;height:36px;margin-top:3px}
.summary{font-size:16.5px}
.facts{grid-template-columns:1fr 1fr;gap:16px}
.finding{padding:16px 16px 16px 20px}
.finding dl>div{grid-template-columns:1fr;gap:0;padding:4px 0}
.tiles{gap:8px}
.tile{padding:10px}
.tile dt{font-size:13px;gap:6px;white-space:nowrap}
.tile dd{font-size:26px}
.index li{flex-wrap:wrap;gap:0 10px}
.index .found{flex-basis:100%;padding-left:26px;text-align:left}
.stacked thead{display:none}
.stacked tr{display:block;padding:10px 0;border-bottom:1px solid var(--line)}
.stacked tr:last-child{border-bottom:0}
.stacked th,.stacked td{display:block;padding:2px 0;border:0}
.stacked td::before{content:attr(data-label) ": ";color:var(--muted);font-size:14px}
.stacked td[data-label="Time"]{text-align:left}
}`;

/** On paper: always light, no box split over two pages, everything unfolded. */
const PAPER = `
@media print{
:root{color-scheme:light;--bg:#fff;--shade:none}
html{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{font-size:13px}
main{max-width:none;padding:0}
.card,.verdict,.finding{break-inside:avoid}
.domain+.domain{break-before:page}
.group>h3,.card>h3{break-after:avoid}
.box{break-inside:avoid}
details::details-content{content-visibility:visible;block-size:auto}
.finding .fix{border:1px solid var(--line)}
}`;

/** The whole style sheet of the page. */
export const STYLE = [
  `:root{color-scheme:light dark;${LIGHT}}`,
  `@media screen and (prefers-color-scheme:dark){:root{${DARK}}}`,
  COLOURS, PAGE, HEAD, PICTURE, FINDINGS, NARROW,
  '@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}',
  PAPER,
].join('').replaceAll('\n', '');
