/** Calm, legible, on paper, too. Light and dark by the reader's own setting. */
export const style = `
:root{color-scheme:light dark;--ground:#fbfbf9;--paper:#fff;--text:#1d2125;--soft:#5b646d;--line:#e1e3e0;--accent:#1f5fa8;
--up:#2f7d4f;--down:#5d7592;--bad:#c0342b;--runs:#a9cdb6;--wait-a:#f8e3b4;--wait-b:#d9a13b;--served:#d6ebdd;--on-served:#24573a;--on-wait:#5c4208;--primary:#3b5f8a;--secondary:#c9d5e3;--on-secondary:#2d3f55}
@media (prefers-color-scheme:dark){:root{--ground:#15181b;--paper:#1c2024;--text:#e4e7ea;--soft:#9aa4ad;--line:#31373d;--accent:#7fb2ea;
--up:#58b27c;--down:#8ba5c4;--bad:#ef6e64;--runs:#35573f;--wait-a:#4d3f1d;--wait-b:#b98a32;--served:#21392b;--on-served:#a9d9bb;--on-wait:#f3d9a0;--primary:#41699a;--secondary:#34414f;--on-secondary:#cbd8e6}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}
header p,.soft{color:var(--soft)}
header p{margin:4px 0;font-size:14px}
h1{font-size:27px;line-height:1.25;margin:6px 0 10px;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:18px;margin:40px 0 12px;font-weight:650}
h3{font-size:15px;margin:22px 0 8px;font-weight:650}
.eyebrow{text-transform:none;font-size:14px;color:var(--soft);margin:0}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:24px 0 0;padding:0;list-style:none}
.tiles li{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:12px 14px;min-width:0}
.tiles span{display:block;font-size:13px;color:var(--soft)}
.tiles strong{display:block;font-size:19px;line-height:1.3;margin-top:2px;font-weight:650;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.tiles small{display:block;font-size:12.5px;line-height:1.4;color:var(--soft);margin-top:3px}
.tiles .bad strong{color:var(--bad)}
.tiles .reason strong{font-size:15px;font-weight:600}
figure{margin:0;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:14px 14px 8px}
svg{display:block;width:100%;height:auto}
svg.narrow{display:none}
svg text{font:12px system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC",sans-serif;fill:var(--text)}
svg .section{font-weight:650;font-size:13px}
svg .lane{text-anchor:end;fill:var(--soft)}
svg .lane.above{text-anchor:start}
svg .tick{fill:var(--soft);font-size:11px;text-anchor:middle;font-variant-numeric:tabular-nums}
svg .tick.first{text-anchor:start}
svg .value{font-size:11px;font-variant-numeric:tabular-nums}
svg .bar .value{paint-order:stroke;stroke:var(--paper);stroke-width:5px;stroke-linejoin:round}svg .bar .value.inside{stroke:none}
svg .value.end{text-anchor:end}
svg .value.inside{fill:#fff}
svg .grid{stroke:var(--line);stroke-width:1}
svg .up{fill:var(--up)}svg .down{fill:var(--down)}svg .failed{fill:var(--bad)}svg .mark{fill:var(--down)}
svg .runs{fill:var(--runs)}svg .served{fill:var(--served)}svg .primary{fill:var(--primary)}svg .secondary{fill:var(--secondary)}
svg .hatch-ground{fill:var(--wait-a)}svg .hatch-line{fill:var(--wait-b);opacity:.45}svg .unsure{opacity:.45}
svg .on-served{fill:var(--on-served)}svg .on-wait,svg .on-unsure{fill:var(--on-wait);font-weight:600}svg .on-primary{fill:#fff}svg .on-secondary{fill:var(--on-secondary)}
@media (prefers-color-scheme:dark){svg .value.inside{fill:#10150f}}
figcaption{font-size:13px;color:var(--soft);padding:8px 2px 4px;display:flex;flex-wrap:wrap;gap:4px 18px}
figcaption i{display:inline-block;width:20px;height:10px;border-radius:2px;margin-right:6px}
.key-up{background:var(--up)}.key-down{background:var(--down)}.key-failed{background:var(--bad)}.key-runs{background:var(--runs);height:4px!important;vertical-align:middle}
.key-wait{background:repeating-linear-gradient(45deg,var(--wait-b) 0 2px,var(--wait-a) 2px 6px)}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:600;color:var(--soft);font-size:13px}
th,td{padding:7px 12px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.time{white-space:nowrap;font-variant-numeric:tabular-nums}
td.reason{overflow-wrap:anywhere}
tr.failed td.action,tr.failed td.reason{color:var(--bad);font-weight:600}
ul{padding-left:20px;margin:8px 0}
li{margin:4px 0;overflow-wrap:anywhere}
code{font:13px ui-monospace,"SFMono-Regular",Consolas,monospace;overflow-wrap:anywhere}
.columns{display:grid;grid-template-columns:1fr 1fr;gap:0 40px}
@media (max-width:720px){main{padding:20px 14px 48px}h1{font-size:22px}.tiles{grid-template-columns:1fr 1fr}.tiles .reason,.tiles li:first-child{grid-column:1/-1}.columns{grid-template-columns:1fr}
figure{padding:10px 8px 6px}svg.wide{display:none}svg.narrow{display:block}
.steps thead{display:none}.steps tr{display:grid;grid-template-columns:auto 1fr auto;gap:0 10px;padding:8px 12px;border-bottom:1px solid var(--line)}.steps tr:last-child{border-bottom:0}
.steps td{border:0;padding:0}.steps td.after{text-align:left;color:var(--soft)}.steps td.time{color:var(--soft)}.steps td.node{text-align:right;color:var(--soft)}.steps td.resource{font-weight:600}.steps td.took{text-align:right}.steps td.reason{grid-column:1/-1}.steps td:empty{display:none}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:11pt}main{max-width:none;padding:0}svg.wide{display:block!important}svg.narrow{display:none!important}figure,.tiles li,.scroll{break-inside:avoid;border-color:#ccc}h2{break-after:avoid}tr{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
