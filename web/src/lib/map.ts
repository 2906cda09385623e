import "maplibre-gl/dist/maplibre-gl.css";
import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Feature, FeatureCollection } from "geojson";
import type { Journey } from "./api";
import { isRide, placeName } from "./view";

maplibre.setWorkerUrl(workerUrl);

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };
const MARGIN = { top: 48, bottom: 48, left: 64, right: 150 }; // room for names

export interface RegionMap {
  show(journey: Journey | null, stations: Record<string, string>): void;
  repaint(): void;
  close(): void;
}

/** The colours of the page, as its stylesheet resolves them just now. */
function palette(): Record<"paper" | "ink1" | "ink2" | "rule" | "surface" | "accent", string> {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const color = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = {
    paper: color("raised"),
    ink1: color("ink-1"),
    ink2: color("ink-2"),
    rule: color("rule"),
    surface: color("surface"),
    accent: color("accent"),
  };
  probe.remove();
  return colors;
}

function legFeatures(journey: Journey): Feature[] {
  return journey.legs.map((leg) => {
    const places = leg.stops.length > 1 ? leg.stops : [leg.from, leg.to];
    return {
      type: "Feature",
      properties: { ride: isRide(leg), color: leg.color ? `#${leg.color}` : null },
      geometry: { type: "LineString", coordinates: places.map((place) => [place.lon, place.lat]) },
    };
  });
}

function stopFeatures(journey: Journey, stations: Record<string, string>): Feature[] {
  const passed = journey.legs.flatMap((leg) => leg.stops.slice(1, -1).map((p) => [p, false] as const));
  const byName = new Map(journey.legs.flatMap((leg) => [leg.from, leg.to]).map((p) => [placeName(p, stations), p]));
  const ends = [...byName.values()].map((place) => [place, true] as const);
  return [...passed, ...ends].map(([place, major]) => ({
    type: "Feature",
    properties: { name: placeName(place, stations), major },
    geometry: { type: "Point", coordinates: [place.lon, place.lat] },
  }));
}

function style(): maplibre.StyleSpecification {
  const c = palette();
  const font = ["sans-serif"]; // without a glyph server labels are drawn from the device's fonts
  return {
    version: 8,
    sources: {
      lines: { type: "geojson", data: "/api/v1/map/lines" },
      stations: { type: "geojson", data: "/api/v1/map/stations" },
      legs: { type: "geojson", data: EMPTY },
      calls: { type: "geojson", data: EMPTY },
    },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": c.paper } },
      {
        id: "lines",
        type: "line",
        source: "lines",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: {
          "line-color": ["coalesce", ["get", "color"], c.ink2],
          "line-opacity": 0.35,
          "line-width": ["interpolate", ["linear"], ["zoom"], 7, 0.8, 13, 3],
        },
      },
      {
        id: "stations",
        type: "circle",
        source: "stations",
        minzoom: 9,
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 1.2, 14, 4],
          "circle-color": c.surface,
          "circle-stroke-color": c.ink2,
          "circle-stroke-width": 1,
          "circle-opacity": 0.9,
        },
      },
      {
        id: "walks",
        type: "line",
        source: "legs",
        filter: ["!", ["get", "ride"]],
        layout: { "line-cap": "round" },
        paint: { "line-color": c.ink1, "line-width": 3, "line-dasharray": [0.1, 2] },
      },
      {
        id: "rides-edge",
        type: "line",
        source: "legs",
        filter: ["get", "ride"],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": c.surface, "line-width": 10 },
      },
      {
        id: "rides",
        type: "line",
        source: "legs",
        filter: ["get", "ride"],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": ["coalesce", ["get", "color"], c.accent], "line-width": 6 },
      },
      {
        id: "calls",
        type: "circle",
        source: "calls",
        paint: {
          "circle-radius": ["case", ["get", "major"], 6, 3],
          "circle-color": c.surface,
          "circle-stroke-color": c.ink1,
          "circle-stroke-width": ["case", ["get", "major"], 2.5, 1],
        },
      },
      {
        id: "station-names",
        type: "symbol",
        source: "stations",
        minzoom: 11,
        layout: {
          "text-field": ["get", "name"],
          "text-font": font,
          "text-size": 11,
          "text-anchor": "top",
          "text-offset": [0, 0.6],
        },
        paint: { "text-color": c.ink2, "text-halo-color": c.paper, "text-halo-width": 1.5 },
      },
      {
        id: "call-names",
        type: "symbol",
        source: "calls",
        filter: ["get", "major"],
        layout: {
          "text-field": ["get", "name"],
          "text-font": font,
          "text-size": 13,
          "text-variable-anchor": ["left", "right", "top", "bottom"],
          "text-radial-offset": 0.9,
          "text-justify": "auto",
        },
        paint: { "text-color": c.ink1, "text-halo-color": c.surface, "text-halo-width": 2 },
      },
    ],
  };
}

function extent(journey: Journey): maplibre.LngLatBounds {
  const box = new maplibre.LngLatBounds();
  for (const leg of journey.legs) {
    for (const place of [leg.from, ...leg.stops, leg.to]) box.extend([place.lon, place.lat]);
  }
  return box;
}

/** Open the region's map in an element: lines and stations, and over them one journey. */
export async function openMap(frame: HTMLElement, bounds: number[] | null): Promise<RegionMap> {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = new maplibre.Map({
    container: frame,
    style: style(),
    bounds: bounds?.length === 4 ? (bounds as [number, number, number, number]) : undefined,
    fitBoundsOptions: { padding: 24 },
    attributionControl: false,
    fadeDuration: 0,
    dragRotate: false,
    pitchWithRotate: false,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  await new Promise<void>((resolve, reject) => {
    map.once("load", () => resolve());
    map.once("error", (event) => reject(event.error));
  });
  map.on("idle", () => (frame.dataset.idle = "true"));
  let current: Journey | null = null;
  let names: Record<string, string> = {};
  let moves = false;

  function margin(): maplibre.PaddingOptions | number {
    return frame.clientWidth > 3 * MARGIN.right ? MARGIN : 32;
  }

  function draw(): void {
    const data = (features: Feature[]): FeatureCollection => ({ ...EMPTY, features });
    const legs = map.getSource<maplibre.GeoJSONSource>("legs");
    const calls = map.getSource<maplibre.GeoJSONSource>("calls");
    legs?.setData(data(current ? legFeatures(current) : []));
    calls?.setData(data(current ? stopFeatures(current, names) : []));
    map.setPaintProperty("lines", "line-opacity", current ? 0.18 : 0.45);
  }

  return {
    show(journey, stations) {
      current = journey;
      names = stations;
      delete frame.dataset.idle;
      draw();
      if (!journey) return;
      map.fitBounds(extent(journey), { padding: margin(), maxZoom: 14, animate: moves });
      moves = !calm; // the first journey is simply there
    },
    repaint() {
      map.once("styledata", draw);
      map.setStyle(style());
    },
    close: () => map.remove(),
  };
}
