// The look of the report: one column of cards, light or dark as the reader's system is.

export const STYLE = `
:root { color-scheme: light dark;
  --paper:#f6f7f9; --card:#fff; --ink:#1c2430; --soft:#5b6675; --edge:#e1e5ea; --grid:#e8ebef;
  --sold:#2f6fd0; --held:#e3a126; --free:#dfe4ea; --refused:#a9b3c0; --busy:#d9534a; --ask:#1c2430;
  --p50:#2f6fd0; --p95:#e3a126; --p99:#d9534a; --good:#1d7f4e; --goodbg:#e4f4ec; --bad:#b3261e; --badbg:#fbe9e7; }
@media (prefers-color-scheme: dark) { :root {
  --paper:#11151b; --card:#1a2029; --ink:#e6eaf0; --soft:#98a4b3; --edge:#2a323d; --grid:#262e38;
  --sold:#5b95ea; --held:#e8b04a; --free:#2d3641; --refused:#667384; --busy:#e8766e; --ask:#e6eaf0;
  --p50:#5b95ea; --p95:#e8b04a; --p99:#e8766e; --good:#69d19f; --goodbg:#16322a; --bad:#ff9a91; --badbg:#3a1d1c; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--paper); color:var(--ink); line-height:1.5;
  font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans KR",sans-serif; }
main { max-width:1080px; margin:0 auto; padding:32px 20px 64px; }
h1 { font-size:30px; line-height:1.2; margin:0 0 4px; letter-spacing:-.01em; }
h2 { font-size:19px; margin:0 0 4px; }
h3 { font-size:15px; margin:0 0 2px; }
p { margin:0 0 12px; max-width:74ch; }
.soft, figcaption { color:var(--soft); font-size:14px; }
.badge { display:inline-block; border-radius:999px; padding:4px 14px; font-weight:600; margin:14px 0 16px; }
.badge.good { color:var(--good); background:var(--goodbg); } .badge.bad { color:var(--bad); background:var(--badbg); }
section { background:var(--card); border:1px solid var(--edge); border-radius:12px; padding:20px 22px; margin-top:18px; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(150px,1fr)); gap:12px; margin-top:18px; }
.tile { background:var(--card); border:1px solid var(--edge); border-radius:12px; padding:14px 16px; }
.tile b { display:block; font-size:25px; line-height:1.2; font-variant-numeric:tabular-nums; }
.tile span { color:var(--soft); font-size:13px; }
.events { display:grid; grid-template-columns:repeat(auto-fit,minmax(300px,1fr)); gap:18px; margin-top:12px; }
figure { margin:12px 0 0; }
.wide { overflow-x:auto; } .wide svg { min-width:620px; }
svg { display:block; width:100%; height:auto; fill:var(--soft); }
svg .grid { stroke:var(--grid); } svg .base { stroke:var(--soft); }
svg .line { fill:none; stroke-width:2; stroke-linejoin:round; stroke-linecap:round; }
svg .mark { stroke:var(--soft); stroke-dasharray:3 3; } svg .flag { fill:var(--ink); }
.key { display:flex; flex-wrap:wrap; gap:4px 18px; margin:10px 0 0; padding:0; list-style:none; font-size:14px; }
.key i { display:inline-block; width:12px; height:12px; border-radius:3px; margin-right:6px; vertical-align:-1px; }
.key i.stroke { height:3px; vertical-align:4px; }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:14.5px; margin-top:8px; font-variant-numeric:tabular-nums; }
th, td { padding:6px 10px; border-bottom:1px solid var(--edge); text-align:right; white-space:nowrap; }
th:first-child, td:first-child { text-align:left; padding-left:0; white-space:normal; }
td.words { text-align:left; white-space:normal; } th.words { text-align:left; }
th { color:var(--soft); font-weight:600; } tr:last-child td { border-bottom:0; }
td.ok { color:var(--good); font-weight:600; } td.fail { color:var(--bad); font-weight:700; }
td.sum { font-weight:600; } th:first-child { min-width:170px; }
h3.apart { margin-top:26px; } .badge + .scroll { margin-top:-6px; }
code { font:13.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; background:var(--paper);
  border:1px solid var(--edge); border-radius:6px; padding:2px 6px; }
ul.plain { margin:4px 0 12px; padding-left:20px; }
`;
