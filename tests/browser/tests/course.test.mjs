// S3 as most people meet it. (The story: course.mjs.)
import { tellCourse } from "../course.mjs";
import { ownTerritory } from "../harness.mjs";

tellCourse(await ownTerritory());
